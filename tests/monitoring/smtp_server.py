"""A real SMTP server on a free port that can be told how to misbehave."""

from __future__ import annotations

import asyncio
import email
import email.policy
import threading
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

#: What it says to the recipient.
RECIPIENT = {"busy": "451 busy", "unknown": "550 nobody here"}
#: What it says once it has the whole mail.
TAKEN = {"full": "452 disk full", "spam": "554 we do not want this"}


class SmtpServer:
    """`behaviour`:

    "accept"; "busy" and "unknown" answer 451 and 550 to the recipient; "full" and "spam" answer 452 and 554 to the
    mail; "drop" hangs up after the mail was taken, before the answer; "die" hangs up in the middle of it; "slow" takes
    it and answers only when it is told to `go_on`.
    """

    def __init__(self, behaviour: str = "accept") -> None:
        self.behaviour = behaviour
        self.mails: list[EmailMessage] = []
        self.took = threading.Event()
        self._go_on = threading.Event()
        self._controller = _Controller(_Handler(self), hostname="127.0.0.1", port=0)

    @property
    def port(self) -> int:
        return self._controller.bound

    def go_on(self) -> None:
        self._go_on.set()

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._go_on.set()
        self._controller.stop()


class _Controller(Controller):
    """Remembers the port that the system chose."""

    bound = 0

    def factory(self) -> SMTP:
        return _Dying(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.bound = self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class _Dying(SMTP):
    """Can break off in the middle of a mail."""

    async def smtp_DATA(self, arg: str) -> None:
        handler = self.event_handler
        if isinstance(handler, _Handler) and handler.owner.behaviour == "die":
            await self.push("354 go on")
            await asyncio.sleep(0)
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class _Handler:
    def __init__(self, owner: SmtpServer) -> None:
        self.owner = owner

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.owner.behaviour in RECIPIENT:
            return RECIPIENT[self.owner.behaviour]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        behaviour = self.owner.behaviour
        if behaviour in TAKEN:
            return TAKEN[behaviour]
        content = envelope.content
        assert isinstance(content, bytes)
        self.owner.mails.append(email.message_from_bytes(content, policy=email.policy.default))
        self.owner.took.set()
        if behaviour == "drop":
            server.transport.abort()
        if behaviour == "slow":
            await asyncio.get_running_loop().run_in_executor(None, self.owner._go_on.wait, 30)
        return "250 taken"
