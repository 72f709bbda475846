"""The champions known so far, as reigns."""

from django.db import migrations


def fill(apps, schema_editor):
    Reign = apps.get_model("deployments", "Reign")
    DeployedModel = apps.get_model("deployments", "DeployedModel")
    known = DeployedModel.objects.filter(role__in=("champion", "former")).iterator()
    Reign.objects.bulk_create(
        [
            Reign(
                deployment_id=model.deployment_id,
                model_id=model.pk,
                started_at=model.started_at,
                ended_at=model.ended_at,
                reason=model.reason,
            )
            for model in known
        ]
    )


class Migration(migrations.Migration):
    dependencies = [("deployments", "0010_replayed_blocks")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
