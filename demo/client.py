"""The demo as a customer of the service: plain HTTP, the documented routes, nothing else."""

import io
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import polars as pl

PARQUET = "application/vnd.apache.parquet"
TIMEOUT = httpx.Timeout(120, connect=10)
PAGE = 100
PATIENCE = 120.0
"""Seconds to wait for a job of the service."""


class Refused(RuntimeError):
    """The service answered with an error; the message is the service's own."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"{response.request.method} {response.request.url}: {response.status_code} {response.text}")
        self.status = response.status_code


class Client:
    """One token at one Deployments API (`api_url` ends in `/api/v2`)."""

    def __init__(self, api_url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=f"{api_url}/", headers=headers, timeout=TIMEOUT)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.close()

    def get(self, path: str, **params: str | int) -> Any:
        """The JSON of a GET."""
        return self._json(self._http.get(path, params=params))

    def all(self, path: str, **params: str) -> Iterator[Any]:
        """Every row of a list, page by page."""
        offset, more = 0, True
        while more:
            page = self.get(path, offset=offset, limit=PAGE, **params)
            yield from page["data"]
            offset += PAGE
            more = page["next"] is not None

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON of a request with a JSON body; a job is waited for."""
        response = self._http.request(method, path, json=body)
        self._finish(response)
        return self._json(response)

    def delete(self, path: str) -> None:
        self._finish(self._http.delete(path))

    def upload(self, path: str, rows: pl.DataFrame, **params: str) -> Any:
        """Send a table as Parquet; answered once it is stored. What becomes of it later is not waited for."""
        file = io.BytesIO()
        rows.write_parquet(file)
        headers = {"Content-Type": PARQUET}
        return self._json(self._http.post(path, content=file.getvalue(), params=params, headers=headers))

    def _finish(self, response: httpx.Response) -> None:
        """Follow `Location` until the job is done; raises Refused when it fails or takes too long."""
        if response.is_error:
            raise Refused(response)
        address = response.headers.get("Location")
        if response.status_code != httpx.codes.ACCEPTED or address is None:
            return
        deadline = time.monotonic() + PATIENCE
        while (state := self._http.get(address)).status_code != httpx.codes.SEE_OTHER:
            failed = state.is_error or state.json().get("status") in ("ERROR", "ABORTED")
            if failed or time.monotonic() > deadline:
                raise Refused(state)
            time.sleep(0.05)

    @staticmethod
    def _json(response: httpx.Response) -> Any:
        if response.is_error:
            raise Refused(response)
        return response.json() if response.content else None
