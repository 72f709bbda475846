"""Who is in which team, in which role. A team always keeps an owner; every change is written down with it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest

from monitoring.audit import name_of, note
from monitoring.models import AuditAction, Membership, Review, ReviewState, Role, Source, Team, Watched
from monitoring.reviews import records


class LastOwner(Exception):
    """The team would be left without an owner; the text is for the person."""

    def __init__(self) -> None:
        super().__init__("A team keeps at least one owner: name another one first.")


def change_role(member: Membership, role: Role, by: Any, *, request: HttpRequest | None = None) -> None:
    """Another role for a member. Raises LastOwner where the only owner would be none any more."""
    with transaction.atomic():
        _keep_an_owner(member, leaves=role is not Role.OWNER)
        before = member.role
        Membership.objects.filter(pk=member.pk).update(role=role)
        if before != role:
            detail = {"before": before, "after": role.value}
            note(
                AuditAction.MEMBER_CHANGED,
                by,
                team=member.team,
                about=name_of(member.user),
                detail=detail,
                request=request,
            )


def remove_member(member: Membership, by: Any, *, request: HttpRequest | None = None) -> None:
    """Takes a member out; one who goes by themselves leaves. Raises LastOwner for the only owner."""
    with transaction.atomic():
        _keep_an_owner(member, leaves=True)
        left = member.user_id == by.pk
        member.delete()
        action = AuditAction.MEMBER_LEFT if left else AuditAction.MEMBER_REMOVED
        about = member.team.name if left else name_of(member.user)
        note(action, by, team=member.team, about=about, request=request)


def change(team: Team, by: Any, *, name: str, two_factor: bool, request: HttpRequest | None = None) -> None:
    """Another name, or the demand for a second factor. The name must be free."""
    before = {"name": team.name, "requires_two_factor": team.requires_two_factor}
    after = {"name": name, "requires_two_factor": two_factor}
    if before == after:
        return
    with transaction.atomic():
        team.name, team.requires_two_factor = name, two_factor
        team.save(update_fields=["name", "requires_two_factor"])
        note(
            AuditAction.TEAM_CHANGED,
            by,
            team=team,
            about=name,
            detail={"before": before, "after": after},
            request=request,
        )


def what_goes(team: Team) -> dict[str, int]:
    """What is lost with a team."""
    return {
        "members": Membership.objects.filter(team=team).count(),
        "sources": Source.objects.filter(team=team).count(),
        "deployments": Watched.objects.filter(source__team=team).count(),
        "reviews": Review.objects.filter(plan__team=team, state=ReviewState.SIGNED).count(),
    }


def delete(team: Team, by: Any, *, request: HttpRequest | None = None) -> None:
    """The team with its sources, what was known of their deployments, its incidents, mail and signed reviews."""
    with transaction.atomic():
        detail = {"id": team.pk, **what_goes(team)}
        name = team.name
        records.erase(team.pk)
        team.delete()
        note(AuditAction.TEAM_DELETED, by, about=name, detail=detail, request=request)


def _keep_an_owner(member: Membership, *, leaves: bool) -> None:
    """Locks the team, so that two owners who go at once do not both find the other."""
    Team.objects.select_for_update().get(pk=member.team_id)
    others = Membership.objects.filter(team=member.team_id, role=Role.OWNER).exclude(pk=member.pk)
    now_owner = Membership.objects.filter(pk=member.pk, role=Role.OWNER).exists()
    if leaves and now_owner and not others.exists():
        raise LastOwner
