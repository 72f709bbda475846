from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0012_sharing"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelpackage",
            name="prompt_name",
            field=models.CharField(blank=True, max_length=300),
        ),
    ]
