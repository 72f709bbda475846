"""The models of the batches that are there already, from the headers of their blocks."""

from django.db import migrations

FILL = """
INSERT INTO deployments_batchmodel (batch_id, model_id, start_at, end_at, predictions_count)
SELECT b.batch_id, b.model_id, min(b.first_at), max(b.last_at), sum(b.rows)
FROM deployments_block b
JOIN deployments_monitoringbatch m ON m.id = b.batch_id
JOIN deployments_deployedmodel d ON d.id = b.model_id
WHERE b.kind = 1 AND b.state = 2
GROUP BY b.batch_id, b.model_id
"""


class Migration(migrations.Migration):
    dependencies = [("deployments", "0015_batch_models")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
