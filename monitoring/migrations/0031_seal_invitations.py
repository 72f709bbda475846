"""Links of invitations that stood in mails in the clear: sealed where the mail still goes out, gone where it has."""

import re

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from monitoring.secrets import encrypt

LINK = re.compile(r"(https?://[^\s\"'<>]*/join/)[^/\s\"'<>…]+/")


def seal(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    messages = apps.get_model("monitoring", "Message")
    for row in messages.objects.filter(why="invited", link_encrypted=None).iterator():
        link = LINK.search(row.text)
        if link is None:
            continue
        if row.state in ("pending", "sending", "in_doubt", "failed", "bounced"):
            row.link_encrypted = encrypt(link[0])
        row.text, row.html = LINK.sub(r"\1…/", row.text), LINK.sub(r"\1…/", row.html)
        row.save(update_fields=["text", "html", "link_encrypted"])


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0030_incidents_that_are_over")]

    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
