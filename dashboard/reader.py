"""Who is looking: the person's teams, time zone and theme. Access follows from team membership alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from monitoring.fleet import Standing, listed, standing, with_star
from monitoring.models import Membership, Role, Source, Team, Theme, UserPreference, Watched


@dataclass(frozen=True)
class Reader:
    """One person on one request."""

    user: User
    zone: ZoneInfo
    theme: Theme
    memberships: tuple[Membership, ...]

    @classmethod
    def load(cls, user: User) -> Reader:
        """One query, of somebody without any team two: the preference and the memberships with their teams."""
        memberships = tuple(
            Membership.objects.filter(user=user).select_related("team", "user__preference").order_by("team__name")
        )
        known = memberships[0].user if memberships else user
        preference = getattr(known, "preference", None) or UserPreference(user=user)
        return cls(user, zone(preference.time_zone), Theme(preference.theme), memberships)

    @property
    def team_ids(self) -> tuple[int, ...]:
        return tuple(membership.team_id for membership in self.memberships)

    @property
    def teams(self) -> tuple[Team, ...]:
        return tuple(membership.team for membership in self.memberships)

    @property
    def may_add(self) -> bool:
        """Whether the person may add a source to one of the teams."""
        return any(Role(membership.role).may_change for membership in self.memberships)

    @property
    def name(self) -> str:
        return self.user.get_full_name() or self.user.get_username()

    @property
    def zone_words(self) -> str:
        """`New York time`, `UTC`."""
        city = self.zone.key.rpartition("/")[2].replace("_", " ")
        return city if city in {"UTC", "GMT"} else f"{city} time"

    def role_in(self, team_id: int) -> Role | None:
        """The person's role, or None for an outsider."""
        return next((Role(m.role) for m in self.memberships if m.team_id == team_id), None)

    @cached_property
    def every_source(self) -> tuple[Source, ...]:
        """The sources of the person's teams, read once a request."""
        return tuple(self.sources())

    @cached_property
    def standing(self) -> Standing:
        """How all that this person may see stands, counted once a request for the frame and the fleet."""
        return standing(listed(self.every_source))

    def watched(self) -> QuerySet[Watched]:
        """Every deployment this person may see."""
        rows = Watched.objects.filter(source__team__in=self.team_ids).select_related("source__team")
        return with_star(rows, self.user.pk)

    def sources(self) -> QuerySet[Source]:
        return Source.objects.filter(team__in=self.team_ids).select_related("team")

    def changeable_sources(self) -> QuerySet[Source]:
        """Those of the teams in which the person may change them."""
        teams = [m.team_id for m in self.memberships if Role(m.role).may_change]
        return self.sources().filter(team__in=teams)

    def watched_or_404(self, pk: int) -> Watched:
        """The deployment; what the person may not see does not exist."""
        found = self.watched().filter(pk=pk).first()
        if found is None:
            raise Http404("There is no such deployment, or none that your teams may see.")
        return found

    def team_or_404(self, pk: int) -> tuple[Team, Role]:
        found = next((m for m in self.memberships if m.team_id == pk), None)
        if found is None:
            raise Http404("There is no such team, or you are not a member.")
        return found.team, Role(found.role)


class PageRequest(HttpRequest):
    """A request that `pages.page` has let in; for type checking only."""

    reader: Reader
    htmx: HtmxDetails


def zone(name: str) -> ZoneInfo:
    """The time zone of that name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
