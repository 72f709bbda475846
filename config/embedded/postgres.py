"""PostgreSQL as a child process: made once, then run in the foreground on a Unix socket only.

There is no password: whoever can open the socket is trusted, and its folder is open to the servers' account (and
root) alone. Nothing listens on a network port.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from config.embedded.account import Account
from config.embedded.errors import EmbeddedError
from config.embedded.folder import DataFolder
from config.embedded.programs import postgres_bin
from config.processes import ProcessSpec, is_alive

DATABASE = "vitals"
SUPERUSER = "vitals"
# In postmaster.pid: pid, folder, start time, port, socket folder, address, shared memory, state.
STATE_LINE = 7
# Small enough for a laptop, large enough that a year of states stays in memory; see docs/operations.md.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_completion_target": "0.9",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
    "log_startup_progress_interval": "0",
}
# For databases that live as long as a test run.
THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "128MB",
}


def prepare(data: DataFolder, who: Account) -> Path:
    """Make the cluster if there is none; returns the folder of the programs."""
    programs = postgres_bin(data, who)
    if not (data.database / "PG_VERSION").exists():
        _initialise(programs, data.database, who)
    return programs


def spec(data: DataFolder, who: Account, programs: Path, *, throwaway: bool = False) -> ProcessSpec:
    """The server process. SIGINT is PostgreSQL's fast stop: sessions end, nothing committed is lost."""
    settings = SETTINGS | (THROWAWAY if throwaway else {})
    argv = [str(programs / "postgres"), "-D", str(data.database), "-k", str(data.sockets)]
    argv += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return ProcessSpec(
        "postgres",
        argv,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        cwd=data.database,
        uid=who.uid,
        gid=who.gid,
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
        kill_after=30,
        is_store=True,
        before=lambda: clear_stale(data),
        ready=lambda: is_ready(data),
    )


def is_ready(data: DataFolder) -> bool:
    """Whether the server takes connections; makes the database on the first one.

    The server's own note of its state is read first: knocking too early would fill the log with refusals.
    """
    if _noted_state(data) != "ready":
        return False
    try:
        _ensure_database(data)
    except psycopg.OperationalError:
        return False
    return True


def clear_stale(data: DataFolder) -> None:
    """After a crash or power cut: a pid file of a process that is gone (or is another program) is removed.

    Called only by the holder of the folder's lock. PostgreSQL itself refuses to start when the number in the file
    was given to some other process meanwhile, for instance in a restarted container.
    """
    pid_file = data.database / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        pid_file.unlink(missing_ok=True)
        return
    deadline = time.monotonic() + 10
    # A server whose parent was just killed is still writing its last checkpoint.
    while _is_postgres(pid, data.database):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Another PostgreSQL (process {pid}) still uses {data.database}: stop it first.")
        time.sleep(0.1)
    pid_file.unlink(missing_ok=True)


def _noted_state(data: DataFolder) -> str:
    try:
        return (data.database / "postmaster.pid").read_text().splitlines()[STATE_LINE].strip()
    except (FileNotFoundError, IndexError):
        return ""


def _ensure_database(data: DataFolder) -> None:
    with psycopg.connect(
        host=str(data.sockets), user=SUPERUSER, dbname="template1", connect_timeout=5, autocommit=True
    ) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
        if found is None:
            connection.execute(f"create database {DATABASE}")  # a constant of this module


def _initialise(programs: Path, cluster: Path, who: Account) -> None:
    argv = [programs / "initdb", "-D", cluster, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
    argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
    run_as = {} if who.is_current else {"user": who.uid, "group": who.gid, "extra_groups": []}
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        cwd=cluster,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        **run_as,  # type: ignore[call-overload]
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no words"])[-1]
        raise EmbeddedError(f"PostgreSQL could not make its data folder {cluster}: {last}")


def _is_postgres(pid: int, cluster: Path) -> bool:
    """Whether that process is a PostgreSQL of this cluster (by its command line, where the system shows it)."""
    if pid <= 0:
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return is_alive(pid) if not Path("/proc/self").exists() else False
    except PermissionError:
        return True
    return os.fsencode(cluster) in command
