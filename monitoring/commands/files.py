"""Files that people send with a command: kept in the storage until they are a dataset of the source.

A command that waits with its file has `file` in its body: name, bytes, media type. Once the source has it, `datasetId`
stands there instead. The file lies under the command's key, so that nothing else has to be remembered.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage

from monitoring import conf
from monitoring.client import Malformed
from monitoring.commands.matching import id_of
from monitoring.commands.wire import Wire, pieces
from monitoring.models import Command
from monitoring.registering.files import Unreadable, media_type

HOME = "commands"
UPLOAD_SECONDS = 600
#: Its upload at its slowest, and the rest.
UPLOAD_LEASE = timedelta(minutes=15)
#: A file that no open command names is left over from a form whose page was never finished.
LEFT_OVER = timedelta(days=1)


def keep(key: str, upload: Any) -> dict[str, Any]:
    """Stores an upload for the command of this key; what its body says of the file. Raises Unreadable for no table."""
    name = PurePosixPath(str(upload.name)).name[:200]
    kind = media_type(name)
    if not upload.size:
        raise Unreadable(f"{name} is empty.")
    upload.seek(0)
    default_storage.save(path_of(key), File(upload))
    return {"name": name, "bytes": upload.size, "mediaType": kind}


def path_of(key: str) -> str:
    return f"{HOME}/{key}"


def waits(command: Command) -> bool:
    """Whether its file is not at the source yet."""
    return "file" in command.body


def send(wire: Wire, command: Command) -> bool:
    """Makes the file a dataset of the source, and the command one about that dataset; False if the file is gone.

    A worker that dies between the two sends the file again: the source then has a dataset that nobody asks for.
    """
    entry, path = command.body["file"], path_of(command.key)
    if not default_storage.exists(path):
        return False
    query = [("name", entry["name"])]
    reply = wire.upload("datasets/fromFile/", query, pieces(path), entry["bytes"], entry["mediaType"])
    made = id_of(reply.data) if isinstance(reply.data, dict) else None
    if not isinstance(made, str):
        raise Malformed("The source did not say which dataset it made of the file.")
    command.body = {**{name: one for name, one in command.body.items() if name != "file"}, "datasetId": made}
    command.save(update_fields=["body"])
    default_storage.delete(path)
    return True


def release(command: Command) -> None:
    """Takes the file of a finished command away; harmless without one and when done twice."""
    if waits(command):
        default_storage.delete(path_of(command.key))


def drop(key: str) -> None:
    """Takes a file away that no command needs."""
    default_storage.delete(path_of(key))


def forget_left_over(now: datetime) -> int:
    """Deletes files that no open command waits with, a day after they came."""
    try:
        kept = default_storage.listdir(HOME)[1]
    except FileNotFoundError:  # a folder that nobody has put a file in yet; in a bucket no folder ever exists
        return 0
    gone = 0
    for key in kept:
        path = path_of(key)
        old = default_storage.get_modified_time(path) < now - LEFT_OVER
        if old and not Command.objects.filter(key=key, finished_at=None).exists():
            default_storage.delete(path)
            gone += 1
    return gone


def lease_of(command: Command) -> timedelta:
    """How long a worker may hold the command."""
    return UPLOAD_LEASE if waits(command) else conf.LEASE


def timeout_of(command: Command) -> float | None:
    """How many seconds one request may take; None for the usual."""
    return UPLOAD_SECONDS if waits(command) else None
