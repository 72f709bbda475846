"""An export of the real service, downloaded through a page over a real connection."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from deployments.models import DataExport
from monitoring.models import AuditAction, AuditEntry, CommandKind, Membership, Role, Source
from tests.contract.test_acts import Desk, desk

__all__ = ["desk"]
SPAN = {"start_at": "2026-01-01T00:00", "end_at": "2026-01-08T00:00"}


@pytest.fixture
def exported(desk: Desk, live_server: LiveServer) -> Desk:
    """Actuals were exported, and the page knows of it; the source listens at a real address."""
    desk.do(CommandKind.EXPORT_ACTUALS, model=desk.watched.model_id, only_matched="on", **SPAN)
    desk.see()
    Source.objects.update(base_url=f"{live_server.url}/api/v2")
    return desk


def address(desk: Desk, file_id: str = "", kind: str = "actuals") -> str:
    made = DataExport.objects.get().dataset
    return reverse("download", args=[desk.watched.pk, kind, file_id or (made.public_id if made else "")])


def test_a_finished_export_is_downloaded_and_written_down(exported: Desk) -> None:
    made = DataExport.objects.get().dataset
    assert made is not None
    page = exported.client.get(reverse("manage", args=[exported.watched.pk])).content.decode()
    assert address(exported) in page
    response = exported.client.get(address(exported))
    assert response.status_code == 200
    body = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    with made.file.open("rb") as file:
        assert body == file.read()
    assert response["Content-Length"] == str(made.size)
    assert response["Content-Type"] == made.media_type
    assert made.name in response["Content-Disposition"]
    assert response["Content-Disposition"].startswith("attachment")
    entry = AuditEntry.objects.get(action=AuditAction.DOWNLOADED)
    assert (entry.user, entry.detail["bytes"]) == (exported.user, made.size)
    assert made.name in entry.about


def test_a_file_that_is_gone_or_a_source_that_refuses_is_told_on_the_page(exported: Desk) -> None:
    made, url = DataExport.objects.get().dataset, address(exported)
    assert made is not None
    made.file.delete(save=False)
    response = exported.client.get(url, follow=True)
    assert "no longer has this file: let it be made again" in response.content.decode()
    source = Source.objects.get()
    source.token = "not the token"
    source.save()
    told = exported.client.get(url, follow=True).content.decode()
    assert "does not take the token" in told
    assert not AuditEntry.objects.filter(action=AuditAction.DOWNLOADED).exists()


def test_no_other_file_can_be_had_by_its_id(exported: Desk) -> None:
    assert exported.client.get(address(exported, "0" * 24)).status_code == 404
    assert exported.client.get(address(exported, kind="predictions")).status_code == 404
    assert exported.client.get(address(exported, kind="passwords")).status_code == 404
    assert exported.client.post(address(exported)).status_code == 405


@pytest.mark.parametrize("role", [Role.MEMBER, Role.READONLY])
def test_who_may_not_change_anything_gets_no_file(exported: Desk, role: Role) -> None:
    Membership.objects.update(role=role)
    assert exported.client.get(address(exported)).status_code == 403
    Membership.objects.all().delete()
    assert exported.client.get(address(exported)).status_code == 404
