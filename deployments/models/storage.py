"""Rows in columnar blocks, and what is rolled up from them. Every key starts with the deployment.

The tables of this module but the first and the last two are made by SQL in a migration (partitions, storage options).
They are written by COPY, so no foreign key is checked and Django does not manage them.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from deployments.models.choices import Area, BlockKind, BlockState, Grain


class IngestRequest(models.Model):
    """A request that was taken in: what makes sending it again harmless."""

    deployment = models.ForeignKey(
        "deployments.Deployment", on_delete=models.CASCADE, related_name="ingest_requests", db_index=False
    )
    request_id = models.CharField(max_length=128)
    kind = models.SmallIntegerField(choices=BlockKind)
    digest = models.CharField(max_length=32)
    rows = models.IntegerField()
    # what was answered, so that the same request gets the same answer
    answer = models.JSONField(default=dict)
    received_at = models.DateTimeField()
    # what became of the actuals, known after their roll-up
    matched = models.IntegerField(default=0)
    waiting = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "request_id"], name="each_request_once")]

    def __str__(self) -> str:
        return self.request_id


class Block(models.Model):
    """Rows of one request, one model and one UTC day (or batch), as an Arrow stream, see `deployments.blocks`."""

    pk = models.CompositePrimaryKey("deployment_id", "day", "id")
    deployment_id = models.IntegerField()
    day = models.DateField()
    id = models.BigIntegerField()
    kind = models.SmallIntegerField(choices=BlockKind)
    state = models.SmallIntegerField(choices=BlockState, default=BlockState.PENDING)
    model_id = models.IntegerField()
    batch_id = models.IntegerField(null=True)
    first_hour = models.IntegerField()
    last_hour = models.IntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    rows = models.IntegerField()
    # rows of predictions, or the predictions that service events report
    predictions = models.BigIntegerField()
    request_key = models.BigIntegerField(null=True)
    # actuals that find no prediction wait for it
    keep_unmatched = models.BooleanField(default=False)
    received_at = models.DateTimeField()
    # made by replaying a challenger, not by a request
    is_replay = models.BooleanField(default=False)
    # keys of the challengers that these rows were replayed with
    replayed_by: models.Field[list[int], list[int]] = ArrayField(models.IntegerField(), default=list)
    # false: taken in while the collection of predictions was switched off; neither replayed nor handed out
    collected = models.BooleanField(default=True)
    payload = models.BinaryField()

    class Meta:
        managed = False
        db_table = "deployments_block"

    def __str__(self) -> str:
        return f"Block {self.id} of {self.deployment_id}"


class ActualBlock(models.Model):
    """Actuals whose predictions are known, by the day (or batch) of those predictions, whichever model made them."""

    pk = models.CompositePrimaryKey("deployment_id", "day", "id")
    deployment_id = models.IntegerField()
    day = models.DateField()
    id = models.BigIntegerField()
    grain = models.SmallIntegerField(choices=Grain)
    bucket = models.IntegerField()
    rows = models.IntegerField()
    payload = models.BinaryField()

    class Meta:
        managed = False
        db_table = "deployments_actualblock"

    def __str__(self) -> str:
        return f"Actuals {self.id} of {self.deployment_id}"


class PredictionKey(models.Model):
    """Where predictions with an association id lie: `key` is the hash of the id, `bucket` an hour or a batch.

    `superseded`: a later hour holds another prediction of the same model with that id; the later one is scored.
    """

    pk = models.CompositePrimaryKey("deployment_id", "key", "grain", "bucket", "model_id")
    deployment_id = models.IntegerField()
    key = models.BigIntegerField()
    grain = models.SmallIntegerField(choices=Grain)
    bucket = models.IntegerField()
    model_id = models.IntegerField()
    superseded = models.BooleanField(default=False)

    class Meta:
        managed = False
        db_table = "deployments_predictionkey"

    def __str__(self) -> str:
        return f"{self.key} in {self.bucket}"


class WaitingKey(models.Model):
    """An actual that waits for its prediction: the hash of its id, and the block that holds it."""

    pk = models.CompositePrimaryKey("deployment_id", "key", "block_id")
    deployment_id = models.IntegerField()
    key = models.BigIntegerField()
    block_id = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "deployments_waitingkey"

    def __str__(self) -> str:
        return f"{self.key} in {self.block_id}"


class DirtyBucket(models.Model):
    """An hour or batch of a model whose state is older than its rows."""

    pk = models.CompositePrimaryKey("deployment_id", "area", "grain", "model_id", "bucket")
    deployment_id = models.IntegerField()
    area = models.SmallIntegerField(choices=Area)
    grain = models.SmallIntegerField(choices=Grain)
    model_id = models.IntegerField()
    bucket = models.IntegerField()

    class Meta:
        managed = False
        db_table = "deployments_dirtybucket"

    def __str__(self) -> str:
        return f"{self.area}/{self.grain}/{self.model_id}/{self.bucket}"


class State(models.Model):
    """What the rows of one bucket of a model add up to, see `deployments.rollups.states`. Attribute 0: all rows."""

    pk = models.CompositePrimaryKey("deployment_id", "area", "grain", "model_id", "attribute_id", "value_id", "bucket")
    deployment_id = models.IntegerField()
    area = models.SmallIntegerField(choices=Area)
    grain = models.SmallIntegerField(choices=Grain)
    model_id = models.IntegerField()
    attribute_id = models.IntegerField()
    value_id = models.IntegerField()
    bucket = models.IntegerField()
    payload = models.BinaryField()

    class Meta:
        managed = False
        db_table = "deployments_state"

    def __str__(self) -> str:
        return f"{self.area}/{self.grain}/{self.model_id}/{self.bucket}"


class SegmentAttribute(models.Model):
    """An attribute by which a deployment is also rolled up: rows received from `since` on, until it is switched off.

    `protected_since`: the fairness of its values is counted in rows received from then on; None while it is not.
    `is_place`: a geospatial feature, by whose cells of the globe rows are counted, and by nothing else.
    """

    id = models.AutoField(primary_key=True)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="attributes")
    name = models.CharField(max_length=300)
    since = models.DateTimeField()
    active = models.BooleanField(default=True)
    protected_since = models.DateTimeField(null=True, blank=True)
    is_place = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "name"], name="one_attribute_a_name")]

    def __str__(self) -> str:
        return self.name


class SegmentValue(models.Model):
    """A value of an attribute that was seen; "" is a missing one. Beyond a limit the rest are counted together."""

    id = models.AutoField(primary_key=True)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="+")
    attribute = models.ForeignKey(SegmentAttribute, on_delete=models.CASCADE, related_name="values")
    text = models.CharField(max_length=500)
    is_other = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["attribute", "text", "is_other"], name="one_row_a_value")]

    def __str__(self) -> str:
        return self.text
