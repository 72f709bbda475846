"""The web process: `granian --interface wsgi config.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

from config.processes import die_with_parent, settle_memory

if os.environ.get("VITALS_CHILD"):
    die_with_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
settle_memory()
