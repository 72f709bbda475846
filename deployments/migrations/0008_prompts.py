from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0007_custom_values"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelpackage",
            name="prompt_name",
            field=models.CharField(blank=True, max_length=300),
        ),
    ]
