"""Static files that other packages bring: exactly those named, not the whole folder they lie in."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

# Address below /static/ -> package, file in it.
FILES = {"plotly/plotly.min.js": ("plotly", "package_data/plotly.min.js")}


class PackageFilesFinder(BaseFinder):
    """Finds the files of `FILES` in their installed packages."""

    def find(self, path: str, find_all: bool = False, **_: Any) -> Any:
        """The file's place; Django asks for a list when it wants all of them."""
        found = [str(_place(*FILES[path]))] if path in FILES else []
        return found if find_all else (found[0] if found else [])

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[tuple[str, Storage]]:
        for path, (package, file) in FILES.items():
            storage = _OneFile(location=_place(package, file).parent)
            storage.prefix = path.rpartition("/")[0]  # collectstatic puts the prefix before the name
            yield Path(file).name, storage


class _OneFile(FileSystemStorage):
    prefix = ""


def _place(package: str, file: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The package {package} is not installed.")
    return Path(spec.origin).parent / file
