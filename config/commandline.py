"""`manage.py`: any command works on the embedded servers, whether `up` runs or not.

A command that needs the database borrows the running servers, or starts them for as long as it lasts.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config.embedded import EmbeddedError, Servers, account
from config.embedded.programs import postgres_bin

# Commands that run the servers themselves, or never ask the database.
WITHOUT_SERVERS = frozenset(
    {"up", "demo", "help", "version", "--help", "--version", "-h", "collectstatic", "findstatic", "spectacular"}
    | {"static_files", "healthcheck", "startapp", "startproject", "compilemessages", "makemessages", "diffsettings"}
)


# `manage.py on_scratch <command …>`: on empty servers and a data folder that vanish afterwards.
ON_SCRATCH = "on_scratch"


def run(argv: Sequence[str]) -> None:
    """Run one command; errors that a person can act on are one sentence and exit status 1."""
    try:
        with scratch() if ON_SCRATCH in argv[1:2] else contextlib.nullcontext():
            wanted = [word for position, word in enumerate(argv) if (position, word) != (1, ON_SCRATCH)]
            with servers_for(wanted):
                execute_from_command_line(wanted)
    except (EmbeddedError, ImproperlyConfigured) as error:
        sys.exit(f"vitals: {error}")


@contextlib.contextmanager
def scratch() -> Iterator[None]:
    """A data folder for the duration; must begin before the settings are read."""
    with tempfile.TemporaryDirectory(prefix="vitals-") as folder:
        Path(folder).chmod(0o711)
        os.environ["VITALS_DATA"] = folder
        os.environ.pop("DATABASE_URL", None)
        os.environ.pop("REDIS_URL", None)
        yield


def servers_for(argv: Sequence[str]) -> contextlib.AbstractContextManager[object]:
    """The embedded servers, if this command needs them and none are named in the environment."""
    command = argv[1] if len(argv) > 1 else "help"
    if command in WITHOUT_SERVERS or {"-h", "--help"} & set(argv):
        return contextlib.nullcontext()
    from django.conf import settings

    if not (settings.EMBEDDED_DATABASE or settings.EMBEDDED_REDIS):
        return contextlib.nullcontext()
    if command == "dbshell":
        # psql comes with the server; one on the PATH goes first.
        os.environ["PATH"] += os.pathsep + str(postgres_bin(settings.DATA, account.current()))
    return Servers(settings.DATA, database=settings.EMBEDDED_DATABASE, queue=settings.EMBEDDED_REDIS)
