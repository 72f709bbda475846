"""Why a source cannot be reached, in words that say where to look."""

from __future__ import annotations

import errno
import socket
import ssl

REFUSALS = {
    errno.ECONNREFUSED: "nothing listens at its address, the connection was refused",
    errno.EHOSTUNREACH: "no way leads to its host",
    errno.ENETUNREACH: "no way leads to its network",
}


def plainly(error: BaseException) -> str:
    """The usual reasons in words that say where to look; "" for the others."""
    cause: BaseException | None = error
    while cause is not None:
        inner = getattr(cause, "certificate_error", None) or getattr(cause, "os_error", None) or cause
        host, port = getattr(cause, "host", None), getattr(cause, "port", None)
        at = f" ({host}:{port})" if host else ""
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {inner.verify_message}{at}."
        if isinstance(inner, ssl.SSLError):
            return f"it does not speak TLS as it should{at}: {inner.reason or 'the handshake failed'}."
        if isinstance(inner, socket.gaierror):
            return f"its name is not known here{at}."
        if isinstance(inner, OSError) and inner.errno in REFUSALS:
            return f"{REFUSALS[inner.errno]}{at}."
        cause = cause.__cause__ or cause.__context__
    return ""
