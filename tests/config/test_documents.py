"""Lists that must not drift apart: what the settings read, `.env.example`, the documentation, docker-compose.yml."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import env
from config.management.commands.role import NAMES

ROOT = Path(__file__).resolve().parents[2]
# Read outside the settings: by the tests, or only inside docker-compose.yml.
ELSEWHERE = {"POSTGRES_PASSWORD"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def test_env_example_lists_every_variable_with_its_default() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    listed = dict(line.lstrip("# ").split("=", 1) for line in lines if re.match(r"#? ?[A-Z][A-Z0-9_]*=", line))
    assert listed.keys() - ELSEWHERE == env.VARIABLES.keys()
    for name, variable in env.VARIABLES.items():
        assert listed[name] == variable.default, name


def test_the_documentation_has_every_variable_in_a_table() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    for variable in env.VARIABLES.values():
        row = (
            f"| `{variable.name}` | {variable.kind.replace('|', 'or')} | {variable.default or '–'} | {variable.help} |"
        )
        assert row in text
    assert set(re.findall(r"^\| `([A-Z_0-9]+)` ", text, re.MULTILINE)) == env.VARIABLES.keys()


def test_the_documentation_names_pages_as_the_settings_do() -> None:
    offered = re.findall(r"</?a [^>]*>([^<]+)</a>", (ROOT / "templates" / "dashboard" / "settings.html").read_text())
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    named = {word for page in pages for word in re.findall(r"Settings(?: →|,) \*?([^*,.)]+)\*", page.read_text())}
    assert named
    assert named <= set(offered)


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"


def test_compose_has_every_role_with_a_health_check(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for role in NAMES:
        assert services[role]["command"][:4] == ["python", "manage.py", "role", role]
    for role in set(NAMES) - {"prepare"}:
        assert services[role]["healthcheck"]["test"][1:] == ["python", "manage.py", "healthcheck", "--role", role]
    assert {"postgres", "redis", "mail"} <= services.keys()


def test_compose_sets_only_variables_that_are_read(compose: dict[str, Any]) -> None:
    assert compose["x-vitals"]["environment"].keys() <= env.VARIABLES.keys()
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert asked <= env.VARIABLES.keys() | ELSEWHERE


def test_compose_hands_on_what_the_environment_file_says(compose: dict[str, Any]) -> None:
    """A variable that compose sets is its own business (the inner addresses), or takes in what the file says."""
    inner = {"VITALS_DATA", "STATIC_ROOT", "DATABASE_URL", "REDIS_URL"}
    shared = compose["x-vitals"]
    assert shared["env_file"] == ".env"
    for name, value in shared["environment"].items():
        assert name in inner or f"${{{name}" in value, name
    for role in NAMES:
        assert {"env_file": ".env"}.items() <= compose["services"][role].items()


def test_the_image_collects_its_files_as_prepare_does() -> None:
    """Its user may not write them: `role prepare` must find the signature of the build, and nothing left to do."""
    assert "python manage.py static_files" in (ROOT / "Dockerfile").read_text()


def test_compose_publishes_ports_on_this_machine_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_lock_names_no_index_and_pins_every_package_by_hash() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in re.sub(r"^ *#.*$", "", text, flags=re.MULTILINE)
    pinned = re.findall(r"^[A-Za-z0-9][^\n]*==[^\n]*\\\n +--hash=sha256:", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))


def test_the_ci_script_requires_the_browser_and_stops_at_a_failure() -> None:
    script = ROOT / ".ci" / "run"
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert script.stat().st_mode & 0o111
    text = script.read_text()
    assert "set -euo pipefail" in text
    assert re.search(r"^export .*\bVITALS_REQUIRE_BROWSER=1\b", text, re.MULTILINE)
