"""The ONNX file of a package: loaded, matched and asked once before it is kept. A package gets one and keeps it."""

from __future__ import annotations

import hashlib

import polars as pl
from django.core.files.base import ContentFile
from django.db import transaction

from deployments import datasets
from deployments.blocks import FEATURE
from deployments.ingest.errors import Refused
from deployments.ingest.shape import Shape, shape_of_package
from deployments.ingest.tables import BadColumn, as_numbers, as_words
from deployments.models import FeatureType, ModelPackage
from deployments.scoring import signature
from deployments.scoring.errors import ScoringFailed
from deployments.scoring.process import Sandbox
from deployments.scoring.scorer import Onnx
from deployments.scoring.signature import Signature

PROBES = 200
"""Training rows that a new artifact is asked about."""


class Taken(ValueError):
    """The package has something to score with already."""


def inspect(content: bytes, shape: Shape, rows: pl.DataFrame) -> Signature:
    """How the model is to be asked. Raises Refused if it cannot be loaded, does not fit, or answers nonsense."""
    try:
        with Sandbox(content) as sandbox:
            found = signature.match(sandbox.description, shape)
            _, labels = (scorer := Onnx(sandbox, found, shape)).piece(rows, found.label)
            if labels is not None:
                _check_order(scorer, found, rows, labels)
    except ScoringFailed as error:
        raise Refused({"file": str(error)}) from None
    return found


def _check_order(scorer: Onnx, found: Signature, rows: pl.DataFrame, labels: pl.Series) -> None:
    """The model's own label must name the class with the highest probability, wherever the two can be compared."""
    columns = scorer.by_class(rows)
    names = [found.classes[place] for place in columns.argmax(axis=1)]
    compared = [(name, label) for name, label in zip(names, labels, strict=True) if label in found.classes]
    if compared and sum(name == label for name, label in compared) < len(compared) * 0.95:
        raise Refused(
            {"classes": "The labels that the model puts out are not those of its highest probability in this order."}
        )


def attach(package: ModelPackage, content: bytes, name: str) -> ModelPackage:
    """Give a package its artifact. Raises Refused for one that does not fit, Taken if there is something already."""
    if package.artifact or package.scoring_address:
        raise Taken("This model package has an artifact or a scoring address already.")
    shape = shape_of_package(package.pk)
    found = inspect(content, shape, probes(package, shape))
    kept = package.artifact.storage.save(
        package.artifact.field.generate_filename(package, f"{package.public_id}.onnx"), ContentFile(content)
    )
    try:
        with transaction.atomic():
            row = ModelPackage.objects.select_for_update().get(pk=package.pk)
            if row.artifact or row.scoring_address:
                raise Taken("This model package has an artifact or a scoring address already.")
            row.artifact.name, row.artifact_name = kept, name[:200] or "model.onnx"
            row.artifact_digest, row.signature = hashlib.sha256(content).hexdigest(), found.to_json()
            row.save(update_fields=["artifact", "artifact_name", "artifact_digest", "signature"])
    except BaseException:
        package.artifact.storage.delete(kept)
        raise
    return row


def probes(package: ModelPackage, shape: Shape) -> pl.DataFrame:
    """Rows to ask about: some of the training data, else one row of zeros and empty words."""
    if package.training_dataset is not None:
        try:
            return as_block(datasets.read(package.training_dataset).head(PROBES), shape)
        except (FileNotFoundError, Refused):
            pass
    return pl.DataFrame(
        {FEATURE + name: [0.0 if kind is FeatureType.NUMERIC else ""] for name, kind in shape.features.items()}
    )


def as_block(table: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """A table's features as the columns of a block. Raises Refused for a column that is not of its feature's kind."""
    columns = []
    for name, kind in shape.features.items():
        if name in table.columns:
            try:
                column = as_numbers(table[name]) if kind is FeatureType.NUMERIC else as_words(table[name])
            except BadColumn as error:
                raise Refused({name: str(error)}) from None
            columns.append(column.alias(FEATURE + name))
    return pl.DataFrame(columns)
