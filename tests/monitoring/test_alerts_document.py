"""The check of a webhook's signature, as the documentation shows it, takes what we sign."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import time_machine

from monitoring.mail.carriers.webhook import new_secret, signature
from tests.monitoring.factories import NOW

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "alerts.md").read_text()


def test_the_documented_check_takes_ours_and_nothing_else() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)
    secret, body, at = new_secret(), b'{"kind":"test"}', int(NOW.timestamp())
    headers = {"webhook-id": "a", "webhook-timestamp": str(at), "webhook-signature": signature(secret, "a", at, body)}
    with time_machine.travel(NOW, tick=False):
        assert found["is_ours"](secret, headers, body)
        assert not found["is_ours"](secret, headers, body + b" ")
        assert not found["is_ours"](new_secret(), headers, body)
        assert not found["is_ours"](secret, {**headers, "webhook-id": "b"}, body)
        old = {**headers, "webhook-timestamp": str(at - 600)}
        old["webhook-signature"] = signature(secret, "a", at - 600, body)
        assert not found["is_ours"](secret, old, body)
