"""The deployments a person sees: filters and orders, all in SQL, and the related rows fetched in bulk.

Filters are joined by AND, the values inside one by OR. Order by a status is by how bad it is, importance by weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.contrib.auth.models import User
from django.db.models import Case, Exists, F, IntegerField, OrderBy, OuterRef, Q, QuerySet, Value, When
from django.db.models.lookups import In

from deployments import sharing
from deployments.models import HEALTH_AREAS, Deployment, Importance, Role, severity
from metrics.health import Status

DAYS_OF_USAGE = 7


class Order(StrEnum):
    """The orders of the reference; a leading minus turns each around."""

    LABEL = "label"
    SERVICE = "serviceHealth"
    MODEL = "modelHealth"
    ACCURACY = "accuracyHealth"
    RECENT_PREDICTIONS = "recentPredictions"
    LAST_PREDICTION = "lastPredictionTimestamp"
    MODEL_DEPLOYED = "currentModelDeployedTimestamp"
    CREATED = "createdAtTimestamp"
    IMPORTANCE = "importance"
    FAIRNESS = "fairnessHealth"
    CUSTOM_METRICS = "customMetricsHealth"
    ACTUALS_TIMELINESS = "actualsTimelinessHealth"
    PREDICTIONS_TIMELINESS = "predictionsTimelinessHealth"


ORDERS = tuple(sign + order for order in Order for sign in ("", "-"))
DEFAULT_ORDER = "-lastPredictionTimestamp"
HEALTH_ORDERS: Mapping[str, Order] = dict(
    zip(
        HEALTH_AREAS,
        (
            *(Order.SERVICE, Order.MODEL, Order.ACCURACY, Order.FAIRNESS, Order.CUSTOM_METRICS),
            *(Order.PREDICTIONS_TIMELINESS, Order.ACTUALS_TIMELINESS),
        ),
        strict=True,
    )
)
"""By which word each area is sorted; the same word filters the list and names the area in a deployment."""

WEIGHT = (Importance.LOW, Importance.MODERATE, Importance.HIGH, Importance.CRITICAL)

# Every model here is registered from outside or by upload: none was built or runs on a platform of its own.
BUILD_ENVIRONMENT = "Other"
EXECUTION_ENVIRONMENT = "external"
PLATFORM = "other"
EXECUTION_TYPE = "external"


@dataclass(frozen=True)
class Filters:
    """What to keep; an empty tuple or None keeps all."""

    search: str | None = None
    # statuses by area of HEALTH_AREAS
    health: Mapping[str, Sequence[str]] = field(default_factory=dict)
    role: str | None = None
    status: Sequence[str] = ()
    importance: Sequence[str] = ()
    last_prediction_start: datetime | None = None
    last_prediction_end: datetime | None = None
    daily_more_than: int | None = None
    daily_less_than: int | None = None
    prediction_servers: Sequence[str] = ()
    build_environments: Sequence[str] = ()
    execution_environments: Sequence[str] = ()
    platforms: Sequence[str] = ()
    created_by_me: bool | None = None
    created_by: str | None = None
    execution_type: str | None = None
    target_type: str | None = None
    tag_keys: Sequence[str] = ()
    tag_values: Sequence[str] = ()


def matching(rows: QuerySet[Deployment], filters: Filters, user: User) -> QuerySet[Deployment]:
    """The deployments among `rows` that pass all filters."""
    rows = rows.filter(_search(filters.search) & _health(filters) & _usage(filters) & _tags(filters))
    if filters.status:
        rows = rows.filter(status__in=filters.status)
    if filters.importance:
        rows = rows.filter(importance__in=filters.importance)
    if filters.role:
        rows = rows.filter(_has_role(user, Role(filters.role)))
    if filters.created_by_me is not None:
        mine = Q(created_by_id=user.pk)
        rows = rows.filter(mine if filters.created_by_me else ~mine)
    if filters.created_by:
        rows = rows.filter(_created_by(filters.created_by))
    if filters.prediction_servers:
        rows = rows.filter(default_prediction_server__public_id__in=filters.prediction_servers)
    if filters.target_type:
        rows = rows.filter(champion__package__target_type__iexact=filters.target_type)
    return rows if _environment_fits(filters) else rows.none()


def ordered(rows: QuerySet[Deployment], order: str) -> QuerySet[Deployment]:
    """Sorted; whatever is absent comes last, equals stay in the order of creation."""
    name, descending = Order(order.removeprefix("-")), order.startswith("-")
    return rows.order_by(_by(ORDER_BY[name], descending), "pk")


def with_relations(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """With everything that showing a row needs: one join, and one further query for the owners of all rows."""
    return rows.select_related(
        "champion", "champion__package", "champion__package__scoring_code", "created_by", "default_prediction_server"
    )


def owners_of(rows: Sequence[Deployment]) -> dict[int, list[User]]:
    """The owners of each deployment, by its key: people, and the members of groups and organisations."""
    owners: dict[int, list[User]] = {row.pk: [] for row in rows}
    for key, user in sharing.owners([row.pk for row in rows]):
        if user not in owners[key]:
            owners[key].append(user)
    return owners


def roles_of(rows: Sequence[Deployment], user: User) -> dict[int, Role]:
    """The user's own role in each deployment; an administrator owns all. One query at most."""
    if user.is_superuser:
        return dict.fromkeys((row.pk for row in rows), Role.OWNER)
    held: dict[int, list[str]] = {}
    for key, role in sharing.held_by(user).filter(deployment__in=rows).values_list("deployment_id", "role"):
        held.setdefault(key, []).append(role)
    return {key: best for key, roles in held.items() if (best := sharing.strongest(roles)) is not None}


def _search(words: str | None) -> Q:
    return Q(label__icontains=words) | Q(description__icontains=words) if words else Q()


def _health(filters: Filters) -> Q:
    found = Q()
    for area, statuses in filters.health.items():
        if statuses:
            found &= Q(In(severity(f"{area}_status"), [Status(status).severity for status in statuses]))
    return found


def _usage(filters: Filters) -> Q:
    found = Q()
    if filters.last_prediction_start is not None:
        found &= Q(last_prediction_at__gte=filters.last_prediction_start)
    if filters.last_prediction_end is not None:
        found &= Q(last_prediction_at__lt=filters.last_prediction_end)
    if filters.daily_more_than is not None:
        found &= Q(recent_predictions__gt=filters.daily_more_than * DAYS_OF_USAGE)
    if filters.daily_less_than is not None:
        found &= Q(recent_predictions__lt=filters.daily_less_than * DAYS_OF_USAGE)
    return found


def _tags(filters: Filters) -> Q:
    found = Q()
    for key, wanted in (("name", filters.tag_keys), ("value", filters.tag_values)):
        if wanted:
            one_of = Q()
            for text in wanted:
                one_of |= Q(tags__contains=[{key: text}])
            found &= one_of
    return found


def _has_role(user: User, role: Role) -> Q:
    """Whether the strongest of the user's roles is this very one."""
    mine = sharing.held_by(user).filter(deployment=OuterRef("pk"))
    return Q(Exists(mine.filter(role=role))) & ~Q(Exists(mine.filter(role__in=sharing.stronger_than(role))))


def _created_by(who: str) -> Q:
    """By the id that answers show, or by e-mail address."""
    return Q(created_by_id=int(who, 16)) if _is_hex(who) else Q(created_by__email__iexact=who)


def _is_hex(text: str) -> bool:
    return len(text) == 24 and all(sign in "0123456789abcdef" for sign in text.lower())


def _environment_fits(filters: Filters) -> bool:
    """Whether any deployment can pass: all have the same environment."""
    return (
        (not filters.build_environments or BUILD_ENVIRONMENT in filters.build_environments)
        and (not filters.execution_environments or EXECUTION_ENVIRONMENT in filters.execution_environments)
        and (not filters.platforms or PLATFORM in filters.platforms)
        and (not filters.execution_type or filters.execution_type == EXECUTION_TYPE)
    )


def _rank(field: str, values: Sequence[str]) -> Case:
    whens = [When(Q((field, value)), then=Value(place)) for place, value in enumerate(values)]
    return Case(*whens, default=Value(-1), output_field=IntegerField())


def _by(expression: F | Case, descending: bool) -> OrderBy:
    """A rank is never null, and is sorted as the indexes are."""
    return OrderBy(expression, descending=descending, nulls_last=True if isinstance(expression, F) else None)


ORDER_BY: dict[Order, F | Case] = {
    Order.LABEL: F("label"),
    Order.RECENT_PREDICTIONS: F("recent_predictions"),
    Order.LAST_PREDICTION: F("last_prediction_at"),
    Order.MODEL_DEPLOYED: F("champion__started_at"),
    Order.CREATED: F("created_at"),
    Order.IMPORTANCE: _rank("importance", WEIGHT),
    **{order: severity(f"{area}_status") for area, order in HEALTH_ORDERS.items()},
}
