"""What was loosened under a silence waits, and is told once the silence has ended."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0025_settings_changed_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="settingschange",
            name="held_until",
            field=models.DateTimeField(null=True, help_text="A silence holds back telling of it until then"),
        ),
    ]
