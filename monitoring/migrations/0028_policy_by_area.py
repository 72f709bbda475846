"""What an area has of its own in a team's alert policy."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0027_password_mail"),
    ]

    operations = [
        migrations.AddField(
            model_name="alertpolicy",
            name="areas",
            field=models.JSONField(
                default=dict, help_text="What an area has of its own, by its name: policy.AreaPolicy"
            ),
        ),
    ]
