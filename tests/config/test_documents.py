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
    assert "export VITALS_REQUIRE_BROWSER=1" in text
