"""Mail to a person of no team, and links that are sealed until they are sent."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0026_settings_changes_held"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="link_encrypted",
            field=models.BinaryField(
                help_text="Encrypted: the link that text and html show without its end", null=True
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="team",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="mail", to="monitoring.team"
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="why",
            field=models.CharField(
                choices=[
                    ("opened", "New trouble"),
                    ("reopened", "In trouble again"),
                    ("worse", "Got worse"),
                    ("better", "Got better, not yet well"),
                    ("still", "Still in trouble"),
                    ("escalated", "Nobody answered"),
                    ("flapping", "Flapping"),
                    ("resolved", "Resolved"),
                    ("digest", "Digest"),
                    ("silence", "A silence ends"),
                    ("handover", "Hand-over"),
                    ("reviewed", "Review signed"),
                    ("review_due", "Review due"),
                    ("overdue", "Action items overdue"),
                    ("loosened", "Watch loosened"),
                    ("test", "Test message"),
                    ("invited", "Invitation"),
                    ("password", "New password"),
                    ("first", "First mail about it"),
                ],
                max_length=12,
            ),
        ),
    ]
