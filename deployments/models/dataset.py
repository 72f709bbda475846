"""Uploaded and produced files of rows."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from deployments.ids import new_id


class Dataset(models.Model):
    """A file of rows in the file storage: training data, holdout, exports. Data, never code."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    file = models.FileField(upload_to="datasets/%Y/%m", max_length=300)
    media_type = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    size = models.BigIntegerField()
    row_count = models.BigIntegerField()
    columns = models.JSONField(default=list)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="datasets")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
