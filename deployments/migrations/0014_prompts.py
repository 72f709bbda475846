from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0013_humility_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelpackage",
            name="prompt_name",
            field=models.CharField(blank=True, max_length=300),
        ),
    ]
