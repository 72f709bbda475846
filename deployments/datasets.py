"""Uploaded files of rows: stored as they came, read as tables."""

from __future__ import annotations

import hashlib

import polars as pl
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet

from deployments.ingest.errors import Refused
from deployments.ingest.tables import Format, format_of, read_table
from deployments.models import Dataset

TYPE_OF = {
    Format.CSV: "text/csv",
    Format.NDJSON: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
}


def visible(user: User) -> QuerySet[Dataset]:
    """The datasets of a person; an administrator sees all."""
    return Dataset.objects.all() if user.is_superuser else Dataset.objects.filter(owner=user)


def store(content: bytes, name: str, media_type: str, user: User) -> Dataset:
    """Keep a file after reading it once. Raises Refused for what is no table, TooMuch for one that is too large."""
    kind = format_of(media_type, name)
    if kind is None:
        raise Refused({"file": "Send CSV, NDJSON or Parquet, named by Content-Type or by the file's ending."})
    table = read_table(content, kind)
    if not table.width:
        raise Refused({"file": "The file has no columns."})
    dataset = Dataset(
        name=name[:200] or f"dataset.{kind}",
        media_type=TYPE_OF[kind],
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        row_count=table.height,
        columns=[{"name": column, "type": str(dtype)} for column, dtype in table.schema.items()],
        owner=user,
    )
    dataset.file.save(f"{dataset.public_id}.{kind}", ContentFile(content), save=False)
    try:
        dataset.save()
    except Exception:
        dataset.file.delete(save=False)
        raise
    return dataset


def read(dataset: Dataset) -> pl.DataFrame:
    """All rows of a dataset."""
    kind = next((kind for kind, media_type in TYPE_OF.items() if media_type == dataset.media_type), None)
    if kind is None:
        raise Refused({"file": f"{dataset.name} is no table."})
    with dataset.file.open("rb") as file:
        return read_table(file.read(), kind)


def delete(dataset: Dataset) -> None:
    """Remove the row, and the file once that is certain."""
    storage, name = dataset.file.storage, dataset.file.name
    with transaction.atomic():
        dataset.delete()
        if name:
            transaction.on_commit(lambda: storage.delete(name))
