"""A real SMTP server on a free port, small enough to be told how to misbehave."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from email.message import EmailMessage
from types import TracebackType
from typing import Self


class SmtpServer:
    """Speaks enough SMTP for one client at a time. `behaviour`:

    "accept"; "busy" answers 451 to the recipient; "unknown" answers 550; "drop" hangs up after the mail was taken,
    before the answer.
    """

    def __init__(self, behaviour: str = "accept") -> None:
        self.behaviour = behaviour
        self.mails: list[EmailMessage] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the waiting accept
        self._listener.close()
        self._thread.join(5)

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        stream = client.makefile("rwb")

        def say(text: str) -> None:
            stream.write(text.encode() + b"\r\n")
            stream.flush()

        say("220 test")
        for raw in stream:
            command = raw.decode().strip().upper()
            if command.startswith("DATA"):
                say("354 go on")
                self._take(stream.readline)
                if self.behaviour == "drop":
                    return
                say("250 taken")
            elif command.startswith("RCPT") and self.behaviour != "accept" and self.behaviour != "drop":
                say("451 busy" if self.behaviour == "busy" else "550 nobody here")
            elif command.startswith("QUIT"):
                say("221 bye")
                return
            else:
                say("250 fine")

    def _take(self, readline: object) -> None:
        lines: list[bytes] = []
        assert callable(readline)
        while (line := readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.mails.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
