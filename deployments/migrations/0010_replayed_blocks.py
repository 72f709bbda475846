"""What replay needs to know of a block; adding a column with a constant default rewrites no row."""

from django.db import migrations

ADD = """
ALTER TABLE deployments_block
    ADD COLUMN is_replay boolean NOT NULL DEFAULT false,
    ADD COLUMN replayed_by integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN collected boolean NOT NULL DEFAULT true;
"""
DROP = "ALTER TABLE deployments_block DROP COLUMN is_replay, DROP COLUMN replayed_by, DROP COLUMN collected;"


class Migration(migrations.Migration):
    dependencies = [("deployments", "0009_challengers")]
    operations = [migrations.RunSQL(ADD, DROP)]
