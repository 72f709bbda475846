"""What the demo keeps beside the database: flights and fitted models, in `<data folder>/demo`."""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import joblib
import polars as pl
import sklearn
from django.conf import settings

from demo import data
from demo.clock import LAST_WEEK
from demo.registration import Models
from demo.replay import LONGEST_WAIT
from demo.story import STORIES, Story
from demo.training import TREES, fit

BEFORE_LAST_WEEK = LAST_WEEK - LONGEST_WAIT - timedelta(days=1)


def folder() -> Path:
    """The demo's own folder, readable by its user only."""
    path = Path(settings.DATA_DIR) / "demo"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def flights() -> pl.DataFrame:
    """The year's flights; joined once and kept."""
    kept = folder() / "flights.parquet"
    if not kept.exists():
        _write(kept, data.load().write_parquet)
    return pl.read_parquet(kept)


def last_week() -> pl.DataFrame:
    """The flights that the live feed can need: those of the last week, and those that it waits for."""
    year = pl.scan_parquet(folder() / "flights.parquet")
    return year.filter(pl.col("scheduled") >= BEFORE_LAST_WEEK).collect()


def trained(stories: Sequence[Story]) -> bool:
    """Whether the stories' models are kept already."""
    return _kept_models(stories).exists()


def models(stories: Sequence[Story] = STORIES) -> Models:
    """The stories' models by recipe; fitted once and kept until a recipe or scikit-learn changes."""
    kept = _kept_models(stories)
    if not kept.exists():
        year = flights()
        fitted = {reign.recipe.name: fit(reign.recipe, year) for story in stories for reign in story.reigns}
        _write(kept, lambda path: joblib.dump(fitted, path))
    loaded: Models = joblib.load(kept)
    return loaded


def remove() -> None:
    """Delete the folder."""
    shutil.rmtree(folder())


def _kept_models(stories: Sequence[Story]) -> Path:
    made_of = f"{stories!r} {TREES!r} {sklearn.__version__}"
    return folder() / f"models-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}.joblib"


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Whole or not at all: a file that a reader sees is complete."""
    draft = path.with_suffix(f".{os.getpid()}")
    write(draft)
    draft.replace(path)
