"""The client against servers that behave badly in every way the reference and life allow."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from monitoring.client import (
    AddressPolicy,
    AddressRefused,
    Astray,
    Broken,
    DeploymentsClient,
    DeploymentsError,
    Limits,
    Malformed,
    Overloaded,
    Refused,
    TooLarge,
    Unauthorised,
    Unreachable,
)
from tests.monitoring.far_side import BASE, FarSide, Remote, json

Handler = Callable[[httpx.Request], httpx.Response]


class Transport(httpx.AsyncBaseTransport):
    """A function from request to response, with what it was asked."""

    def __init__(self, handler: Handler) -> None:
        self.handler, self.seen = handler, list[httpx.Request]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self.handler(request)


def run(
    handler: Handler | httpx.AsyncBaseTransport,
    work: Callable[[DeploymentsClient], Awaitable[Any]],
    *,
    limits: Limits | None = None,
    pauses: list[float] | None = None,
) -> Any:
    async def sleep(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)

    async def main() -> Any:
        transport = handler if isinstance(handler, httpx.AsyncBaseTransport) else Transport(handler)
        async with DeploymentsClient(BASE, "secret", transport=transport, limits=limits, sleep=sleep) as client:
            return await work(client)

    return asyncio.run(main())


def get(client: DeploymentsClient) -> Awaitable[Any]:
    return client.ask("d1", "settings/")


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (json({"message": "no"}, 401), Unauthorised),
        (json({"message": "no"}, 403), Refused),
        (json({"message": "no"}, 404), Refused),
        (json({"message": "bad", "errors": {"start": ["?"]}}, 422), Refused),
        (json({"message": "not served"}, 501), Refused),
        (json({"message": "slow down"}, 429), Overloaded),
        (json({"message": "later"}, 503), Overloaded),
        (json({"message": "oops"}, 500), Broken),
        (httpx.Response(502, text="<html>bad gateway"), Broken),
        (httpx.Response(302, headers={"Location": "https://evil.example.com/"}), Astray),
        (httpx.Response(200, text="<html>log in"), Malformed),
        (httpx.Response(200, text='{"metrics": {"AUC"'), Malformed),
        (httpx.Response(200, content=b"\x00\xff"), Malformed),
        (httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip")), Malformed),
        (httpx.Response(200, headers={"Content-Length": "900"}, stream=httpx.ByteStream(b"{}")), Unreachable),
    ],
)
def test_every_bad_answer_is_a_named_error(response: httpx.Response, error: type[DeploymentsError]) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(response.status_code, headers=response.headers, stream=response.stream)

    with pytest.raises(error):
        run(handler, get)


def test_the_message_of_the_source_reaches_people() -> None:
    with pytest.raises(Refused, match="422: Time must be at the top of the hour"):
        run(lambda request: json({"message": "Time must be at the top of the hour"}, 422), get)


def test_no_error_tells_the_token() -> None:
    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"cannot reach {request.url}")

    with pytest.raises(Unreachable) as caught:
        run(lost, get)
    assert "secret" not in str(caught.value)


def test_a_failure_is_asked_again_with_growing_pauses_and_then_answered() -> None:
    answers = iter([json({}, 500), json({}, 502), json({"ok": True})])
    pauses: list[float] = []
    assert run(lambda request: next(answers), get, pauses=pauses) == {"ok": True}
    assert 0.125 <= pauses[0] <= 0.375
    assert 0.25 <= pauses[1] <= 0.75


def test_retry_after_is_honoured_to_the_second() -> None:
    answers = iter([json({}, 429, **{"Retry-After": "2"}), json({"ok": True})])
    pauses: list[float] = []
    run(lambda request: next(answers), get, pauses=pauses)
    assert pauses == [2.0]


def test_a_long_retry_after_is_left_to_the_caller() -> None:
    transport = Transport(lambda request: json({}, 503, **{"Retry-After": "3600"}))
    with pytest.raises(Overloaded) as caught:
        run(transport, get)
    assert caught.value.wait == timedelta(hours=1)
    assert len(transport.seen) == 1


@pytest.mark.parametrize(
    "header", ["soon", "-5", "Wed, 99 Foo 2026", "\u00b2", "Thu, 01 Jan 99999999999 00:00:00 GMT", ""]
)
def test_a_nonsense_retry_after_is_no_crash(header: str) -> None:
    with pytest.raises(Overloaded) as caught:
        run(lambda request: httpx.Response(429, headers=[(b"Retry-After", header.encode("latin-1"))]), get)
    assert caught.value.wait is None


def test_a_refusal_is_not_asked_again() -> None:
    transport = Transport(lambda request: json({"message": "no"}, 404))
    with pytest.raises(Refused):
        run(transport, get)
    assert len(transport.seen) == 1


def test_a_body_beyond_the_limit_is_not_read_to_its_end() -> None:
    def bomb(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(b"x" * 5_000_000))

    with pytest.raises(TooLarge):
        run(bomb, get, limits=Limits(max_body=1_000_000))


def test_a_server_that_never_answers_is_given_up() -> None:
    class Stuck(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(60)
            raise AssertionError("unreachable")

    with pytest.raises(Unreachable, match=r"No answer within 0\.05 s"):
        run(Stuck(), get, limits=Limits(timeout=0.05, attempts=1))


def test_all_pages_of_a_list_are_read_in_a_stable_order() -> None:
    far = FarSide(*(Remote(f"d{number}") for number in range(250)))
    found = run(far, lambda client: client.deployments())
    assert [entry["id"] for entry in found] == [f"d{number}" for number in range(250)]
    assert len(far.asked) == 3


def test_a_server_that_caps_its_pages_is_read_whole() -> None:
    far = FarSide(*(Remote(f"d{number}") for number in range(45)))
    far.page = 20
    assert len(run(far, lambda client: client.deployments())) == 45


def test_next_is_followed_on_our_own_origin_only() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("cursor") == "2":
            return json({"data": [{"id": "b"}], "next": None})
        return json({"data": [{"id": "a"}], "next": "https://evil.example.com/steal/?cursor=2"})

    transport = Transport(handler)
    found = run(transport, lambda client: client.deployments())
    assert [entry["id"] for entry in found] == ["a", "b"]
    assert {request.url.host for request in transport.seen} == {"models.example.com"}


def test_pages_that_never_end_are_an_error() -> None:
    with pytest.raises(Malformed, match="do not come to an end"):
        run(lambda request: json({"data": [1], "next": f"{BASE}/deployments/?offset=0"}), lambda c: c.deployments())


def test_a_very_long_retry_after_is_a_day() -> None:
    with pytest.raises(Overloaded) as caught:
        run(lambda request: json({}, 429, **{"Retry-After": "9" * 5000}), get)
    assert caught.value.wait == timedelta(days=1)


def test_null_characters_in_texts_are_left_out() -> None:
    body = {"label": "Loan\x00s", "tags\x00": [{"name": "\x00"}], "n": 1}
    assert run(lambda request: json(body), get) == {"label": "Loans", "tags": [{"name": ""}], "n": 1}
    with pytest.raises(Refused, match="422: no start") as caught:
        run(lambda request: json({"message": "no\x00 start", "errors": {"start\x00": ["?\x00"]}}, 422), get)
    assert caught.value.fields == {"start": "?"}


@pytest.mark.parametrize("total", [None, 300])
def test_a_server_that_does_not_know_of_offsets_is_found_out_at_its_second_page(total: int | None) -> None:
    asked: list[str] = []

    def same(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        following = f"{BASE}/deployments/?offset={100 * len(asked)}"
        return json({"data": [{"id": "a"}] * 100, "next": following, "totalCount": total})

    with pytest.raises(Malformed, match="repeat themselves"):
        run(same, lambda client: client.deployments())
    assert len(asked) <= 3


def test_a_next_that_is_no_address_is_a_named_error() -> None:
    with pytest.raises(Malformed, match="no address"):
        run(lambda request: json({"data": [1], "next": "http://[::1/?a=1"}), lambda client: client.deployments())


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example.com/api/v2/status/1/",
        "http://models.example.com/api/v2/status/1/",
        "/admin/",
        "https://[models/api/v2/status/1/",
        "https://models.example.com:port/api/v2/status/1/",
    ],
)
def test_a_location_elsewhere_is_not_followed(location: str) -> None:
    async def work(client: DeploymentsClient) -> str:
        return client.path_of(location)

    with pytest.raises(Astray):
        run(lambda request: json({}), work)


def test_a_location_of_our_own_is_a_path() -> None:
    async def work(client: DeploymentsClient) -> str:
        return client.path_of(f"{BASE}/status/1/")

    assert run(lambda request: json({}), work) == "status/1/"


def test_another_major_version_is_refused() -> None:
    with pytest.raises(Refused, match="version 3"):
        run(lambda request: json({"major": 3}), lambda client: client.version())


def test_a_server_without_a_version_is_asked_all_the_same() -> None:
    assert run(lambda request: json({"message": "nothing here"}, 404), lambda client: client.version()) == ""


# --- Addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "ftp://models.example.com/",
        "https:///api/v2",
        "https://user:pw@models.example.com/",
        "http://127.0.0.1:8000/api/v2",
        "http://10.0.0.5/api/v2",
        "http://[::1]/api/v2",
        "http://[::ffff:127.0.0.1]/api/v2",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0/",
        "http://example.com:notaport/",
    ],
)
def test_an_address_that_could_reach_inside_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        DeploymentsClient(url, "t")


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "fd00:ec2::254", "224.0.0.1", "0.0.0.0"])
def test_link_local_and_metadata_addresses_are_never_allowed(address: str) -> None:
    assert not AddressPolicy(allow_private=True).permits(address)
    assert not AddressPolicy(trusted=frozenset({address})).for_host(address, 80).permits(address)


def test_a_trusted_host_may_be_private_and_the_built_in_source_may_be_anywhere() -> None:
    trusting = AddressPolicy(trusted=frozenset({"models.internal:8000"}))
    assert trusting.for_host("models.internal", 8000).permits("10.0.0.5")
    assert not trusting.for_host("models.internal", 22).permits("10.0.0.5")
    assert AddressPolicy(exempt=True).permits("127.0.0.1")


def test_a_public_name_that_leads_inside_is_refused_where_the_connection_is_made() -> None:
    async def main() -> None:
        async with DeploymentsClient("http://localhost:9/api/v2", "t", limits=Limits(attempts=1)) as client:
            await client.version()

    with pytest.raises(AddressRefused, match="localhost lies in a network"):
        asyncio.run(main())
