"""What the variables of single sign-on say: identity providers, the trusted header, who joins which team by itself.

Every mistake stops the start with one sentence that names the variable; no sentence repeats a secret.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.text import slugify

Network = IPv4Network | IPv6Network
ROLES = ("owner", "manager", "member", "readonly")
PROVIDER = frozenset({"id", "name", "issuer", "client_id", "client_secret"})


@dataclass(frozen=True)
class JoinRule:
    """Whoever has a verified address of `domain`, or `value` in `claim`, becomes a member of `team` in `role`."""

    team: str
    role: str
    domain: str = ""
    claim: str = ""
    value: str = ""


def providers(one: dict[str, str], more: str) -> list[dict[str, Any]]:
    """Allauth's apps: the provider of the plain variables, then those of OIDC_PROVIDERS."""
    found = []
    if any(one[name] for name in ("issuer", "client_id", "client_secret")):
        for name, variable in (("issuer", "OIDC_ISSUER"), ("client_id", "OIDC_CLIENT_ID")):
            if not one[name]:
                raise _wrong(variable, "must be set when another OIDC_ variable is")
        found.append(_app({**one, "id": "sso"}, "OIDC_ISSUER"))
    for entry in _list("OIDC_PROVIDERS", more):
        if unknown := set(entry) - PROVIDER:
            raise _wrong("OIDC_PROVIDERS", f"has an unknown field, {sorted(unknown)[0]}")
        for name in ("id", "issuer", "client_id"):
            if not entry.get(name):
                raise _wrong("OIDC_PROVIDERS", f"needs the field {name} in every entry")
        found.append(_app(entry, "OIDC_PROVIDERS"))
    names = [app["provider_id"] for app in found]
    if len(set(names)) < len(names):
        raise _wrong("OIDC_PROVIDERS", "names the same id twice (sso is that of OIDC_ISSUER)")
    return found


def _app(entry: dict[str, Any], variable: str) -> dict[str, Any]:
    parts = urlsplit(str(entry["issuer"]))
    loopback = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise _wrong(variable, "must be an https:// address: the identity tokens come from there")
    if slugify(str(entry["id"])) != entry["id"]:
        raise _wrong(variable, "has an id with other letters than a-z, 0-9, - and _")
    return {
        "provider_id": entry["id"],
        "name": entry.get("name") or parts.hostname,
        "client_id": entry["client_id"],
        "secret": entry.get("client_secret", ""),
        "settings": {"server_url": str(entry["issuer"]), "oauth_pkce_enabled": True},
    }


def networks(header: str, proxies: Sequence[Network]) -> Sequence[Network]:
    """The addresses that may send the trusted header; without any nobody could tell a proxy from a stranger."""
    if header and not proxies:
        raise _wrong("TRUSTED_HEADER_PROXIES", "must be set when TRUSTED_HEADER is set")
    return proxies


def join_rules(text: str) -> list[JoinRule]:
    """The rules of SSO_JOIN, in order; [] for none, which is the default."""
    rules = []
    for entry in _list("SSO_JOIN", text):
        if set(entry) - {"team", "role", "domain", "claim", "value"} or not entry.get("team"):
            raise _wrong("SSO_JOIN", "takes the fields team, role and either domain, or claim and value")
        if entry.get("role", "member") not in ROLES:
            raise _wrong("SSO_JOIN", f"has an unknown role: it is one of {', '.join(ROLES)}")
        if bool(entry.get("domain")) == bool(entry.get("claim") and entry.get("value")):
            raise _wrong("SSO_JOIN", "needs either domain, or claim and value, in every entry")
        fields = {name: str(value) for name, value in entry.items()}
        rules.append(JoinRule(**{"role": "member", **fields}))
    return rules


def local_login(wanted: bool, *, sso: bool) -> bool:
    """Whether passwords are taken; switching them off without another way in would lock everybody out."""
    if not wanted and not sso:
        raise _wrong("LOCAL_LOGIN", "can only be false when OIDC_ISSUER, OIDC_PROVIDERS or TRUSTED_HEADER is set")
    return wanted


def _list(variable: str, text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text) if text else []
    except ValueError:
        raise _wrong(variable, "must be a JSON list of objects") from None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise _wrong(variable, "must be a JSON list of objects")
    return found


def _wrong(variable: str, rule: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"The environment variable {variable} {rule}.")
