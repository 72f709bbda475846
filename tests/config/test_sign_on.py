"""The variables of single sign-on: what they mean, and that a mistake stops the start and names the variable."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import sign_on
from config.sign_on import JoinRule
from tests.config.test_settings import read_setting

NONE = {"issuer": "", "client_id": "", "client_secret": "", "name": ""}
CORP = {"id": "corp", "issuer": "https://id.corp.example", "client_id": "vitals"}


def test_without_variables_there_is_no_single_sign_on() -> None:
    assert sign_on.providers(NONE, "") == []
    assert sign_on.networks("", []) == []
    assert sign_on.join_rules("") == []
    assert sign_on.local_login(True, sso=False)


def test_the_plain_variables_and_the_list_add_up() -> None:
    one = {"issuer": "https://sso.example", "client_id": "v", "client_secret": "s", "name": "Example"}
    found = sign_on.providers(one, json.dumps([CORP]))
    assert [(app["provider_id"], app["name"]) for app in found] == [("sso", "Example"), ("corp", "id.corp.example")]
    assert found[0]["settings"] == {"server_url": "https://sso.example", "oauth_pkce_enabled": True}


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ("{", "JSON list"),
        ("{}", "JSON list"),
        ("[1]", "JSON list"),
        ([{**CORP, "secret": "x"}], "unknown field, secret"),
        ([{"id": "corp", "client_id": "v"}], "field issuer"),
        ([{**CORP, "issuer": "http://id.corp.example"}], "https://"),
        ([{**CORP, "issuer": "id.corp.example"}], "https://"),
        ([{**CORP, "id": "a/b"}], "other letters"),
        ([CORP, CORP], "same id twice"),
    ],
)
def test_a_mistake_in_the_list_is_told(entries: object, words: str) -> None:
    text = entries if isinstance(entries, str) else json.dumps(entries)
    with pytest.raises(ImproperlyConfigured, match=f"OIDC_PROVIDERS.*{words}"):
        sign_on.providers(NONE, text)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"domain": "x.example"}, "team, role"),
        ({"team": "T", "domain": "x", "group": "y"}, "team, role"),
        ({"team": "T", "role": "root", "domain": "x"}, "unknown role"),
        ({"team": "T"}, "either domain"),
        ({"team": "T", "domain": "x", "claim": "c", "value": "v"}, "either domain"),
        ({"team": "T", "claim": "c"}, "either domain"),
    ],
)
def test_a_mistake_in_a_rule_is_told(rule: dict[str, str], words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"SSO_JOIN.*{words}"):
        sign_on.join_rules(json.dumps([rule]))


def test_rules_are_members_unless_they_say_otherwise() -> None:
    text = '[{"team": "T", "domain": "x.example"}, {"team": "T", "role": "owner", "claim": "groups", "value": "ml"}]'
    assert sign_on.join_rules(text) == [
        JoinRule("T", "member", domain="x.example"),
        JoinRule("T", "owner", claim="groups", value="ml"),
    ]


def test_a_header_without_its_proxies_stops_the_start() -> None:
    refused = read_setting("DEBUG", TRUSTED_HEADER="X-Forwarded-User")
    assert "TRUSTED_HEADER_PROXIES must be set when TRUSTED_HEADER is set" in refused.stderr
    wrong = read_setting("DEBUG", TRUSTED_HEADER="X-Forwarded-User", TRUSTED_HEADER_PROXIES="proxy.example")
    assert "TRUSTED_HEADER_PROXIES must be addresses or networks" in wrong.stderr


def test_passwords_are_not_switched_off_without_another_way_in() -> None:
    refused = read_setting("DEBUG", LOCAL_LOGIN="false")
    assert "LOCAL_LOGIN can only be false when" in refused.stderr
    taken = read_setting(
        "LOCAL_LOGIN", LOCAL_LOGIN="false", OIDC_ISSUER="https://id.example", OIDC_CLIENT_ID="v", OIDC_CLIENT_SECRET="s"
    )
    assert taken.stdout == "False\n", taken.stderr


def test_half_a_provider_stops_the_start_and_repeats_no_secret() -> None:
    refused = read_setting("DEBUG", OIDC_ISSUER="https://id.example", OIDC_CLIENT_SECRET="hush")
    assert "OIDC_CLIENT_ID must be set" in refused.stderr
    assert "hush" not in refused.stderr.splitlines()[-1]
