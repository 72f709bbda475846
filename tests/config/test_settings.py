"""Settings that keep people safe, and the files that other packages bring."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from allauth.core.internal.ratelimit import get_rates
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.finders import FileSystemFinder
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django.fixtures import Settings

from config.preparation import collect_static, static_signature

ROOT = Path(__file__).resolve().parents[2]
FERNET_KEY = "Zm9yIHRlc3RzIG9ubHksIG5ldmVyIHVzZWQgaGVyZSE="


def read_setting(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A setting as a fresh process reads it."""
    code = f"from config import settings; print(settings.{name})"
    env = {"PATH": os.environ["PATH"], "VITALS_SECRET_KEY": "x", "VITALS_FERNET_KEYS": FERNET_KEY, **environment}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.django_db
def test_pages_carry_a_strict_policy(client: Client) -> None:
    response = client.get("/login/")
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    for directive in ("script-src", "style-src-elem"):
        assert "unsafe" not in policy[directive]
        assert "http" not in policy[directive]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("name", ["plotly/plotly.min.js", "django_htmx/htmx-2.min.js"])
def test_scripts_of_others_are_served_from_their_packages(client: Client, name: str) -> None:
    found = finders.find(name)
    assert isinstance(found, str)
    assert ROOT / "static" not in Path(found).parents
    response = client.get(f"/static/{name}")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/javascript")
    assert b"".join(response) == Path(found).read_bytes()


def test_a_changed_static_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.STATICFILES_DIRS", [tmp_path])
    monkeypatch.setattr("config.preparation.get_finders", lambda: [FileSystemFinder()])
    signatures = [static_signature()]
    for text in ("a", "b"):
        (tmp_path / "a.css").write_text(text)
        signatures.append(static_signature())
    assert len(set(signatures)) == 3


def test_a_static_file_copied_at_another_time_is_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layers of an image round times; what was collected when it was built must not look like another version."""
    monkeypatch.setattr("django.conf.settings.STATICFILES_DIRS", [tmp_path])
    monkeypatch.setattr("config.preparation.get_finders", lambda: [FileSystemFinder()])
    file = tmp_path / "a.css"
    file.write_text("a")
    before = static_signature()
    os.utime(file, (1, 1))
    assert static_signature() == before


def test_static_files_that_cannot_be_collected_are_told_in_one_sentence(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "file").write_text("")
    settings.STATIC_ROOT = tmp_path / "file" / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with pytest.raises(ImproperlyConfigured, match=r"STATIC_ROOT\): Not a directory\.$"):
        collect_static(lambda text: None)


def test_the_checks_of_all_apps_pass() -> None:
    assert run_checks() == []


@pytest.mark.parametrize(
    ("environment", "apps"),
    [
        ({"SERVICE_ENABLED": "false"}, ["monitoring", "dashboard"]),
        ({"DASHBOARD_ENABLED": "false"}, ["deployments"]),
        ({}, ["deployments", "monitoring", "dashboard", "demo"]),
    ],
)
def test_either_half_can_be_switched_off(environment: dict[str, str], apps: list[str]) -> None:
    ours = {"deployments", "monitoring", "dashboard", "demo"}
    shown = read_setting(f"INSTALLED_APPS and [a for a in settings.INSTALLED_APPS if a in {ours!r}]", **environment)
    assert shown.stdout.strip() == repr(apps), shown.stderr


@pytest.mark.parametrize("half", ["SERVICE_ENABLED", "DASHBOARD_ENABLED"])
def test_the_other_half_runs_alone(half: str, tmp_path: Path) -> None:
    """Addresses, tasks and checks load without the half that is switched off."""
    env = {"PATH": os.environ["PATH"], "VITALS_DATA": str(tmp_path), half: "false"}
    env |= {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    env |= {"VITALS_SECRET_KEY": "x", "VITALS_FERNET_KEYS": FERNET_KEY}
    code = """
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
from django.core.management import call_command
from config.celery import app
call_command("check")
app.loader.import_default_modules()
print(sorted({name.split(".")[0] for name in app.tasks} - {"celery"}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    alone = "['monitoring']" if half == "SERVICE_ENABLED" else "['deployments']"
    assert done.stdout.splitlines()[-1] == alone


def test_cookies_are_secure_where_the_address_is() -> None:
    assert read_setting("SESSION_COOKIE_SECURE", PUBLIC_URL="https://vitals.example").stdout == "True\n"
    assert read_setting("SECURE_HSTS_SECONDS", PUBLIC_URL="https://vitals.example").stdout == "31536000\n"
    assert read_setting("SESSION_COOKIE_SECURE").stdout == "False\n"


def test_a_start_on_a_named_database_needs_named_secrets() -> None:
    refused = read_setting("DEBUG", DATABASE_URL="postgresql://h/n", VITALS_SECRET_KEY="")
    assert "VITALS_SECRET_KEY must be set when DATABASE_URL is set" in refused.stderr


def test_files_go_to_a_bucket_when_one_is_named(tmp_path: Path) -> None:
    local = read_setting("STORAGES['default']['BACKEND']")
    assert local.stdout.strip() == "django.core.files.storage.FileSystemStorage"
    (tmp_path / "storages").mkdir()  # the settings only look whether the library is there
    found = {"S3_BUCKET": "vitals-files", "PYTHONPATH": str(tmp_path)}
    bucket = read_setting("STORAGES['default']['OPTIONS']['bucket_name']", **found)
    assert bucket.stdout == "vitals-files\n"


@pytest.mark.skipif(importlib.util.find_spec("storages") is not None, reason="the library for buckets is installed")
def test_a_bucket_without_its_library_stops_the_start() -> None:
    refused = read_setting("STORAGES", S3_BUCKET="vitals-files")
    assert "The environment variable S3_BUCKET needs a package that is not installed" in refused.stderr


def test_without_a_limit_of_log_ins_the_other_limits_stay() -> None:
    assert read_setting("ACCOUNT_RATE_LIMITS", RATE_LIMIT_LOGIN="0").stdout == "{'reset_password': None}\n"


def test_allauth_takes_none_for_no_limit_of_one_kind(settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": None}
    assert get_rates(app="allauth.account", action="reset_password") == []
    assert get_rates(app="allauth.account", action="reauthenticate")
    assert get_rates(app="allauth.account", action="change_password")
