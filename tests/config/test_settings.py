"""Settings that keep people safe, and the files that other packages bring."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from allauth.core.internal.ratelimit import get_rates
from django.contrib.staticfiles import finders
from django.core.checks import run_checks
from django.test import Client
from pytest_django.fixtures import Settings

from config.preparation import static_signature

ROOT = Path(__file__).resolve().parents[2]


def read_setting(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A setting as a fresh process reads it."""
    code = f"from config import settings; print(settings.{name})"
    env = {"PATH": os.environ["PATH"], "VITALS_SECRET_KEY": "x", "VITALS_FERNET_KEYS": "x", **environment}
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
    from django.conf import settings
    from django.contrib.staticfiles.finders import FileSystemFinder

    monkeypatch.setattr(settings, "STATICFILES_DIRS", [tmp_path])
    monkeypatch.setattr("config.preparation.get_finders", lambda: [FileSystemFinder()])
    before = static_signature()
    (tmp_path / "a.css").write_text("a")
    assert static_signature() != before


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
    env |= {"VITALS_SECRET_KEY": "x", "VITALS_FERNET_KEYS": "Zm9yIHRlc3RzIG9ubHksIG5ldmVyIHVzZWQgaGVyZSE="}
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


def test_files_go_to_a_bucket_when_one_is_named() -> None:
    local = read_setting("STORAGES['default']['BACKEND']")
    assert local.stdout.strip() == "django.core.files.storage.FileSystemStorage"
    bucket = read_setting("STORAGES['default']['OPTIONS']['bucket_name']", S3_BUCKET="vitals-files")
    assert bucket.stdout == "vitals-files\n"


def test_without_a_limit_of_log_ins_the_other_limits_stay() -> None:
    assert read_setting("ACCOUNT_RATE_LIMITS", RATE_LIMIT_LOGIN="0").stdout == "{'reset_password': None}\n"


def test_allauth_takes_none_for_no_limit_of_one_kind(settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": None}
    assert get_rates(app="allauth.account", action="reset_password") == []
    assert get_rates(app="allauth.account", action="reauthenticate")
    assert get_rates(app="allauth.account", action="change_password")
