"""How to get in: address, user, password and token, printed and kept in `demo.json` (mode 600)."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from demo.watching import USERNAME, make_account
from deployments.api.authentication import digest
from deployments.models import ApiToken


@dataclass(frozen=True)
class Access:
    """The content of `demo.json`; its keys are part of the product's interface."""

    url: str
    apiUrl: str
    username: str
    password: str
    apiToken: str

    @property
    def box(self) -> str:
        """The last thing that `make demo` prints."""
        rows = {"Address": self.url, "User": self.username, "Password": self.password}
        rows |= {"API": self.apiUrl, "Token": self.apiToken}
        lines = [f"{name:<9} {value}" for name, value in rows.items()]
        width = max(map(len, lines))
        body = [f"│ {line:<{width}} │" for line in lines]
        return "\n".join([f"┌{'─' * (width + 2)}┐", *body, f"└{'─' * (width + 2)}┘"])


def granted(url: str) -> Access:
    """The access that was kept, if it still opens the doors; else a new one. Kept for the next time."""
    known = _kept()
    if known is None or not _opens(known):
        account = make_account()
        known = Access(url, "", account.username, account.password, account.token)
    access = Access(url, f"{url}/api/v2", known.username, known.password, known.apiToken)
    _keep(access)
    return access


def forget() -> None:
    _file().unlink(missing_ok=True)


def _file() -> Path:
    return Path(settings.DATA_DIR) / "demo.json"


def _kept() -> Access | None:
    try:
        return Access(**json.loads(_file().read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _opens(access: Access) -> bool:
    user = User.objects.filter(username=USERNAME).first()
    if user is None or not user.check_password(access.password):
        return False
    return ApiToken.objects.filter(user=user, digest=digest(access.apiToken)).exists()


def _keep(access: Access) -> None:
    """Written beside and moved over, so that the file is never readable by others nor half there."""
    draft = _file().with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(access), file)
    draft.replace(_file())
