"""Our own API as an httpx transport: the watcher's client and the service meet without a network between them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
from django.core.wsgi import get_wsgi_application
from django.db import connections


class InProcess(httpx.AsyncBaseTransport):
    """Answers every request by the real WSGI application, in one thread of its own with a connection of its own."""

    def __init__(self) -> None:
        self.application = get_wsgi_application()
        self._wsgi = httpx.WSGITransport(app=self.application)
        self._thread = ThreadPoolExecutor(1)
        self.paths: list[str] = []

    def __call__(self) -> InProcess:
        return self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        await request.aread()  # an upload is a stream
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        answered = self._wsgi.handle_request(asked)
        return httpx.Response(answered.status_code, headers=answered.headers, content=answered.read())

    def stop(self) -> None:
        self._thread.submit(connections.close_all).result()
        self._thread.shutdown()
