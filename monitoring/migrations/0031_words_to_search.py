from django.db import migrations, models
from django.db.models.functions import Concat, Upper


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0030_incidents_that_are_over"),
    ]

    operations = [
        migrations.AddField(
            model_name="watched",
            name="words",
            field=models.GeneratedField(
                db_persist=True,
                expression=Upper(Concat("label", models.Value("\n"), "description")),
                help_text=(
                    "What a search looks through: to turn ten thousand texts into capitals takes longer than to search"
                ),
                output_field=models.TextField(),
            ),
        ),
    ]
