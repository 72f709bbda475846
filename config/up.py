"""What `manage.py up` does, in order: take the data folder, check the port, start stage by stage, stay, stop."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connections

from config import first_run, roles
from config.console import Console
from config.embedded import EmbeddedError, Servers
from config.preparation import Gate, Say, check_stores, collect_static, migrate
from config.processes import is_alive
from config.supervisor import OWN_NAME, Role, Stage, Supervisor

# How long to wait for a one-off command that has the data folder's servers in its hands.
PATIENCE = 60.0


@dataclass(frozen=True)
class Options:
    """What the command line asked for; 0 means what the settings say."""

    host: str = "127.0.0.1"
    port: int = 8000
    web_workers: int = 0
    workers: int = 0
    quiet: bool = False
    run: tuple[str, ...] = ()


def up(options: Options) -> int:
    """Run everything until told to stop; returns the exit status."""
    servers = Servers(settings.DATA, database=settings.EMBEDDED_DATABASE, queue=settings.EMBEDDED_REDIS)
    with taken(servers):
        check_port(options.host, options.port)
        return _up(options, servers)


def _up(options: Options, servers: Servers) -> int:
    with announced(options) as url:
        settings.DATA.prepare()
        log = settings.DATA.log / "up.log" if options.quiet else None
        console = Console(quiet=options.quiet, log=log)
        try:
            return Supervisor(console).run(stages(options, servers, console, url))
        finally:
            console.close()


def stages(options: Options, servers: Servers, console: Console, url: str) -> list[Stage]:
    """Stores; then web, while schema and files are prepared; then workers and beat; then the commands, in turn."""

    def say(text: str) -> None:
        console.say(OWN_NAME, text, important=True)

    env = roles.environment(VITALS_LOCAL_URL=url)
    env.setdefault("PUBLIC_URL", url)
    env.setdefault("SERVICE_URL", url)
    processes = options.workers or settings.WORKER_CONCURRENCY
    web = roles.Web(options.host, options.port, options.web_workers or settings.WEB_WORKERS, settings.WEB_THREADS)
    working = [
        roles.worker("worker", roles.WORKER_QUEUES, processes, env),
        roles.worker("poller", roles.POLLER_QUEUES, processes, env),
        roles.beat(env),
    ]
    static, gate = _aside(lambda: collect_static(say)), Gate(settings.DATA_DIR)
    return [
        Stage([Role(spec) for spec in servers.specs()]),
        Stage(
            [Role(roles.web(web, env))],
            before=gate.close,
            meanwhile=lambda: _ready(say, env["SERVICE_URL"], static, gate),
            after=lambda: _greet(say, url, claimable=not options.run),
        ),
        Stage([Role(spec) for spec in working]),
        *(Stage([Role(roles.command(shlex.split(line), env), once=True, bare=options.quiet)]) for line in options.run),
    ]


def _aside(work: Callable[[], None]) -> Future[None]:
    """In a thread, from now on: a new installation's database is being made by another program meanwhile."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(work)
    finally:
        pool.shutdown(wait=False)


def _ready(say: Say, service_url: str, static: Future[None], gate: Gate) -> None:
    check_stores()
    migrate(say)
    static.result()
    # The supervisor forks: it must not hold a connection that its children would inherit.
    connections.close_all()
    first_run.follow(service_url, say)
    gate.open()


def _greet(say: Say, url: str, *, claimable: bool) -> None:
    """Where it answers; and how an empty installation is claimed, unless a command is about to fill it."""
    say(f"Vitals answers at {url} – Ctrl-C stops it")
    code = first_run.setup_code() if claimable else None
    if code is not None:
        say(first_run.invitation(url, code))


def check_port(host: str, port: int) -> None:
    """An error of one sentence if nobody can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "ports end at 65535"
            # The next one, unless that would be refused for the same reason.
            other = port + 1 if 1024 <= port < 65535 else 8000
            raise EmbeddedError(
                f"Port {port} on {host} cannot be used ({reason}): "
                f"choose another, for instance `make demo PORT={other}` or `manage.py up --port {other}`."
            ) from error


@contextlib.contextmanager
def taken(servers: Servers) -> Iterator[None]:
    """Hold the data folder's lock; wait for a short command, but not for another `up`."""
    deadline = time.monotonic() + PATIENCE
    while not servers.lock():
        other = running()
        if other or time.monotonic() > deadline:
            where = f" at {other}" if other else ""
            raise EmbeddedError(
                f"Vitals already runs{where} on the data folder {settings.DATA_DIR}: stop it first, "
                "or set VITALS_DATA to another folder."
            )
        time.sleep(0.1)
    try:
        yield
    finally:
        servers.release()


def running() -> str | None:
    """The address of the `up` that runs on this data folder, if one does."""
    try:
        known = json.loads(_announcement().read_text())
        pid, url = int(known["pid"]), str(known["url"])
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return url if is_alive(pid) else None


@contextlib.contextmanager
def announced(options: Options) -> Iterator[str]:
    """Write down who runs and where, for as long as we do; yields the local address."""
    url = roles.local_url(options.host, options.port)
    _announcement().write_text(json.dumps({"pid": os.getpid(), "url": url}))
    try:
        yield url
    finally:
        _announcement().unlink(missing_ok=True)


def _announcement() -> Path:
    return Path(settings.DATA_DIR) / "up.json"
