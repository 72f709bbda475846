"""Readers of the environment: values, defaults, and errors that name the variable but never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

ROOT = Path(__file__).resolve().parents[2]
KEY = "Zm9yIHRlc3RzIG9ubHksIG5ldmVyIHVzZWQgaGVyZSE="


@pytest.fixture(autouse=True)
def _keep_the_settings_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests read must not be taken for what the settings read."""
    monkeypatch.setattr(env, "VARIABLES", {})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("true", True), ("YES", True), ("1", True), ("on", True), ("false", False), ("No", False), ("0", False)],
)
def test_a_flag_understands_the_usual_words(monkeypatch: pytest.MonkeyPatch, raw: str, expected: bool) -> None:
    monkeypatch.setenv("SOME_FLAG", raw)
    assert env.flag("SOME_FLAG", not expected, help="") is expected


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMETHING", "  ")
    assert env.text("SOMETHING", "default", help="") == "default"
    assert env.flag("SOMETHING", True, help="") is True
    assert env.number("SOMETHING", 7, help="") == 7
    assert env.words("SOMETHING", ["a"], help="") == ["a"]


def test_words_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", "a.example, b.example,,")
    assert env.words("HOSTS", help="") == ["a.example", "b.example"]


def test_a_path_understands_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLDER", "~/vitals")
    assert env.path("FOLDER", Path("/x"), help="", shown="") == Path.home() / "vitals"


def test_fernet_keys_come_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYS", f"{KEY}, {KEY},")
    assert env.fernet_keys("KEYS", None, help="") == [KEY, KEY]


WRONG = [
    # a word that is no flag
    (lambda: env.flag("NAME", True, help=""), "maybe", "must be true or false"),
    # no number, too small, too large
    (lambda: env.number("NAME", 1, help=""), "1.5", "whole number"),
    (lambda: env.number("NAME", 5, minimum=5, help=""), "4", "at least 5"),
    (lambda: env.number("NAME", 5, maximum=9, help=""), "10", "between 0 and 9"),
    # a word outside the list
    (lambda: env.choice("NAME", "a", ["a", "b"], help=""), "c", "one of a, b"),
    # another scheme
    (lambda: env.url("NAME", "", ("redis",), help=""), "http://user:hidden@host", "must start with redis:"),
    # what no address can have: a word for a port, half a bracket, no host
    (
        lambda: env.url("NAME", "", ("postgresql",), help=""),
        "postgresql://user:hidden@host:port/name",
        "number for a port",
    ),
    (lambda: env.url("NAME", "", ("http",), help=""), "http://[::1", "must be an address"),
    (lambda: env.url("NAME", "", ("https",), help=""), "https://", "must name a host"),
    # the second of two keys
    (lambda: env.fernet_keys("NAME", None, help=""), f"{KEY},hidden", "must hold Fernet keys"),
]


@pytest.mark.parametrize(("read", "raw", "rule"), WRONG)
def test_a_wrong_value_stops_the_start_and_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, read: object, raw: str, rule: str
) -> None:
    monkeypatch.setenv("NAME", raw)
    with pytest.raises(ImproperlyConfigured) as caught:
        read()  # type: ignore[operator]
    assert str(caught.value).startswith("The environment variable NAME ")
    assert rule in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_secret_without_value_and_fallback_stops_the_start() -> None:
    with pytest.raises(ImproperlyConfigured, match="NAME must be set when DATABASE_URL is set"):
        env.secret("NAME", None, help="")
    assert env.secret("NAME", lambda: "made", help="") == "made"
