"""Redis as a child process on a Unix socket: the queue, rate limits and short caches. No store of record.

The queue is written to disk every few seconds so that a planned stop keeps it; what a crash loses is found again by
the tasks that look for unfinished work.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import redis

from config.embedded.account import Account
from config.embedded.folder import DataFolder
from config.embedded.programs import redis_server
from config.processes import ProcessSpec


def prepare(data: DataFolder, who: Account) -> Path:
    """The server's program."""
    return redis_server(data, who)


def spec(data: DataFolder, who: Account, program: Path, *, throwaway: bool = False) -> ProcessSpec:
    """The server process."""
    argv = [str(program), "--port", "0", "--unixsocket", str(data.redis_socket), "--unixsocketperm", "700"]
    argv += [
        "--dir",
        str(data.queue),
        "--loglevel",
        "warning",
        "--logfile",
        "redis.log",
        "--databases",
        "64",
        "--maxmemory-policy",
        "noeviction",
    ]
    argv += ["--save", "", "--appendonly", "no"] if throwaway else ["--save", "60", "1"]
    return ProcessSpec(
        "redis",
        argv,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        cwd=data.queue,
        uid=who.uid,
        gid=who.gid,
        stop_signal=signal.SIGTERM,
        death_signal=signal.SIGTERM,
        kill_after=10,
        is_store=True,
        before=lambda: clear_stale(data),
        ready=lambda: is_ready(data),
    )


def is_ready(data: DataFolder) -> bool:
    """Whether the server answers."""
    if not data.redis_socket.exists():
        return False
    client = redis.Redis(unix_socket_path=str(data.redis_socket), socket_timeout=5)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def clear_stale(data: DataFolder) -> None:
    """Remove a socket that nobody answers; called only by the holder of the folder's lock."""
    data.redis_socket.unlink(missing_ok=True)
