"""Files of a source on their way to a person: whole or broken off, never too large, never kept in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from django.test.utils import override_settings
from hypothesis import given
from hypothesis import strategies as st

from monitoring import downloads
from monitoring.client import TooLarge, Unreachable
from monitoring.downloads import AT_ONCE, Unavailable, begin, clean_name
from monitoring.models import Source, Team

PATH = "datasets/69235c1e8d2f4a7b9c0d1e2f/file/"
MB = 1_048_576


class Pieces(httpx.AsyncByteStream):
    """A body of so many pieces of 64 KiB, made as they are read."""

    def __init__(self, pieces: int) -> None:
        self.pieces, self.closed = pieces, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number in range(self.pieces):
            yield bytes([number % 251]) * 65_536

    async def aclose(self) -> None:
        self.closed = True


Answer = Callable[[httpx.Request], httpx.Response]


def transport(answer: Answer) -> Callable[[], httpx.MockTransport]:
    return lambda: httpx.MockTransport(answer)


def file(body: bytes | Pieces, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx.Response(
        200, headers=named, **({"stream": body} if isinstance(body, Pieces) else {"content": body})
    )


def says(status: int, message: str = "") -> Answer:
    return lambda request: httpx.Response(status, json={"message": message})


@pytest.fixture
def source() -> Source:
    """One that needs no row: what is read of it stands on it."""
    found = Source(team=Team(name="Risk"), name="Flights", base_url="https://192.0.2.1/api/v2", built_in=True)
    found.token = "secret"
    return found


@pytest.fixture(autouse=True)
def places() -> Iterator[None]:
    """All places are free again after each test."""
    yield
    assert [downloads._slots.acquire(blocking=False) for _ in range(AT_ONCE)] == [True] * AT_ONCE
    for _ in range(AT_ONCE):
        downloads._slots.release()


def test_a_file_comes_whole_with_its_name_type_and_size(source: Source) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return file(b"a,b\n1,2\n", content_type="text/csv; charset=utf-8")(request)

    with begin(source, PATH, "rows.csv", transport(answer)) as found:
        assert (found.name, found.media_type, found.size) == ("rows.csv", "text/csv", 8)
        assert b"".join(found) == b"a,b\n1,2\n"
    assert asked[0].url.path == f"/api/v2/{PATH}"
    assert asked[0].headers["authorization"] == "Bearer secret"
    assert asked[0].headers["accept-encoding"] == "identity"


def test_without_a_name_of_its_own_the_source_is_believed_but_for_folders(source: Source) -> None:
    answer = file(b"x", content_disposition='attachment; filename="../../etc/rows.parquet"')
    with begin(source, PATH, "", transport(answer)) as found:
        assert (found.name, found.media_type) == ("rows.parquet", "application/octet-stream")


def test_a_type_that_a_browser_would_show_is_only_bytes(source: Source) -> None:
    with begin(source, PATH, "rows.csv", transport(file(b"<b>", content_type="text/html"))) as found:
        assert found.media_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (says(404, "Not found."), "Flights no longer has this file: let it be made again."),
        (says(410), "no longer has this file"),
        (says(403, "Not yours."), "does not let its token read this file"),
        (says(401, "Bad token."), "does not take the token: Bad token."),
        (says(500, "Boom."), "The source failed (500): Boom."),
        (says(429), "asks to wait"),
        (lambda request: httpx.Response(302, headers={"location": "https://elsewhere.example/x"}), "not followed"),
        (lambda request: httpx.Response(204), "204 instead of a file"),
    ],
)
def test_what_the_source_refuses_is_told_before_a_byte_is_sent(source: Source, answer: Answer, told: str) -> None:
    with pytest.raises(Unavailable, match=r".") as problem:
        begin(source, PATH, "rows.csv", transport(answer))
    assert told in str(problem.value)


def test_a_source_that_is_not_there_or_paused_is_told(source: Source) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    with pytest.raises(Unavailable, match="cannot be reached"):
        begin(source, PATH, "rows.csv", transport(answer))
    source.enabled = False
    with pytest.raises(Unavailable, match="Flights is paused"):
        begin(source, PATH, "rows.csv", transport(file(b"x")))


@override_settings(MAX_DOWNLOAD_BYTES=MB)
def test_a_file_that_says_it_is_too_large_is_not_begun_and_one_that_does_not_is_broken_off(source: Source) -> None:
    with pytest.raises(Unavailable, match="larger than 1 MiB"):
        begin(source, PATH, "rows.csv", transport(file(Pieces(20), content_length=str(20 * 65_536))))
    body = Pieces(20)
    with begin(source, PATH, "rows.csv", transport(file(body))) as found, pytest.raises(TooLarge):
        list(found)
    assert body.closed
    with begin(source, PATH, "rows.csv", transport(file(Pieces(16)))) as found:
        assert sum(map(len, found)) == MB


def test_a_file_that_is_cut_off_never_looks_whole(source: Source) -> None:
    with begin(source, PATH, "rows.csv", transport(file(Pieces(2), content_length="200000"))) as found:
        assert found.size == 200_000
        with pytest.raises(Unreachable, match="cut off"):
            list(found)


@override_settings(DOWNLOAD_SECONDS=0)
def test_a_file_that_takes_too_long_is_broken_off(source: Source) -> None:
    found = begin(source, PATH, "rows.csv", transport(file(Pieces(2))))
    with found, pytest.raises(Unreachable, match="took longer than 0 s"):
        list(found)


def test_so_many_at_a_time_and_a_place_is_free_once_one_is_over(source: Source) -> None:
    under_way = [begin(source, PATH, "rows.csv", transport(file(b"x"))) for _ in range(AT_ONCE)]
    with pytest.raises(Unavailable, match="try again in a moment"):
        begin(source, PATH, "rows.csv", transport(file(b"x")))
    assert b"".join(under_way[0]) == b"x"
    begin(source, PATH, "rows.csv", transport(file(b"x"))).close()
    for one in under_way:
        one.close()
        one.close()


def test_what_is_in_memory_does_not_grow_with_the_file(source: Source) -> None:
    peaks = []
    for pieces in (16, 1600):
        with begin(source, PATH, "rows.csv", transport(file(Pieces(pieces)))) as found:
            tracemalloc.start()
            assert sum(map(len, found)) == pieces * 65_536
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + MB


@given(st.text(max_size=400))
def test_any_name_becomes_one_that_a_disk_takes(name: str) -> None:
    found = clean_name(name)
    assert 1 <= len(found) <= 150
    assert found.isprintable()
    assert not set("/\\") & set(found)
    assert found not in {".", ".."}
    assert clean_name(found) == found


def test_a_long_name_keeps_its_ending() -> None:
    assert clean_name("x" * 300 + ".parquet").endswith("x.parquet")
