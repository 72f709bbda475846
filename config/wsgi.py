"""The web process: `granian --interface wsgi config.wsgi:application`."""

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.preparation import Gate
from config.processes import die_with_parent, settle_memory

if os.environ.get("VITALS_CHILD"):
    die_with_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
if os.environ.get("VITALS_CHILD"):
    Gate(settings.DATA_DIR).wait()  # WhiteNoise looks for the static files once, when the application is made
application = get_wsgi_application()
settle_memory()
