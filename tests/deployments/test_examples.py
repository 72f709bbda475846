"""The examples run as they stand, against a real server, and print what scikit-learn computes from the same rows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from deployments import jobs
from deployments.api.authentication import issue
from deployments.models import Deployment
from deployments.rollups import fill
from tests.deployments.factories import make_user
from tests.deployments.operations import OPERATIONS

EXAMPLE = Path(__file__).parents[2] / "examples" / "watch_sklearn_model.py"
API_PAGE = EXAMPLE.parents[1] / "docs" / "api.md"
PRINTED = re.compile(r"deployments/([0-9a-f]{24})/ has AUC (0\.\d{3}), on the holdout (0\.\d{3})\n")
PATIENCE_S = 120


def work_until_it_ends(program: subprocess.Popen[str]) -> str:
    """Do what the workers do while the example runs; returns what it printed."""
    deadline = time.monotonic() + PATIENCE_S
    while program.poll() is None and time.monotonic() < deadline:
        for pk in jobs.waiting():
            jobs.run(pk)
        for pk in Deployment.objects.values_list("pk", flat=True):
            fill.run(pk, timezone.now())
        time.sleep(0.2)
    program.kill()
    printed, complaints = program.communicate()
    assert program.returncode == 0, printed + complaints
    return printed


def expected() -> tuple[float, float]:
    """AUC on the live rows and on the holdout, by scikit-learn alone."""
    table = load_breast_cancer(as_frame=True).frame
    names = list(table.columns[:10])
    train, hold, live = table[:200], table[200:350], table[350:]
    model = RandomForestClassifier(random_state=0).fit(train[names], train["target"])
    live_auc, hold_auc = (
        roc_auc_score(part["target"], model.predict_proba(part[names])[:, 1]) for part in (live, hold)
    )
    return live_auc, hold_auc


@pytest.mark.django_db(transaction=True)
def test_the_example_watches_a_scikit_learn_model(live_server: LiveServer) -> None:
    token = issue(make_user(), "example")
    # No slash at the end: so `make demo` prints the address.
    command = [sys.executable, str(EXAMPLE), f"{live_server.url}/api/v2", token]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        printed = PRINTED.fullmatch(work_until_it_ends(program))
    assert printed is not None
    live_auc, hold_auc = expected()
    assert float(printed[2]) == pytest.approx(live_auc, abs=5e-4)
    assert float(printed[3]) == pytest.approx(hold_auc, abs=5e-4)
    assert Deployment.objects.get(public_id=printed[1]).label == "Tumours"


def test_the_example_is_at_most_40_lines_long() -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 40


@pytest.mark.django_db(transaction=True)
def test_the_examples_of_the_api_page_run_as_they_stand(live_server: LiveServer, tmp_path: Path) -> None:
    access = {"apiUrl": f"{live_server.url}/api/v2", "apiToken": issue(make_user(), "docs")}
    (tmp_path / "demo.json").write_text(json.dumps(access))
    script = "\n".join(["set -euo pipefail", *re.findall(r"```bash\n(.*?)```", API_PAGE.read_text(), re.S)])
    with subprocess.Popen(
        ["bash", "-c", script],
        env={**os.environ, "VITALS_DATA": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        printed = work_until_it_ends(program)
    assert "2.36.0" in printed
    assert Deployment.objects.get(label="Who buys").deleted_at is not None


def test_the_api_page_lists_exactly_the_operations_of_the_reference() -> None:
    listed = re.findall(r"^\| `([A-Z]+ \S+)` \| (\w+) \|$", API_PAGE.read_text(), re.M)
    assert listed == [(one.name, "administrator" if one.admin else str(one.role or "any")) for one in OPERATIONS]
