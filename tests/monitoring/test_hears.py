"""Who hears what, as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.incidents.policy import AreaPolicy
from monitoring.mail.hears import Happening, Hearer, Hours, Rule, who_hears
from monitoring.models import Breaks, Delivery, Severity, Status, Whom

# A Friday, 10:20 in London, 05:20 in New York, 19:20 in Tokyo.
NOW = datetime(2026, 5, 1, 9, 20, tzinfo=UTC)
LONDON, NEW_YORK, TOKYO = ZoneInfo("Europe/London"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")
OFFICE = Hours(LONDON, frozenset({0, 1, 2, 3, 4}), time(9), time(18))
NY_OFFICE = replace(OFFICE, zone=NEW_YORK)
FAILING = Happening(Status.FAILING, Severity.HIGH, "HIGH", "drift", frozenset({"team=risk", "team"}), frozenset({7}))
AT_RISK = replace(FAILING, status=Status.WARNING, severity=Severity.MODERATE)
LOW_RISK = replace(AT_RISK, importance="LOW", severity=Severity.LOW)
UNANSWERED = replace(FAILING, escalation=True)
INES = Hearer("m1")
#: Nine o'clock in New York.
NINE_THERE = NOW + timedelta(hours=3, minutes=40)
CALLS_INES = (Rule("e", escalation=True, names=frozenset({"m1"})),)
NOW_, DIGEST, NEVER = Delivery.NOW, Delivery.DIGEST, Delivery.NEVER


def never(**conditions: Any) -> tuple[Rule, ...]:
    """A rule that silences what it matches."""
    return (Rule("r", delivery=NEVER, **conditions),)


CASES = [
    # without any set-up
    ("failing is told at once", FAILING, INES, (), NOW_, NOW),
    ("at risk is told at once", AT_RISK, INES, (), NOW_, NOW),
    ("at risk of low importance waits for the digest", LOW_RISK, INES, (), DIGEST, NOW),
    ("failing of low importance is told at once", replace(LOW_RISK, status=Status.FAILING), INES, (), NOW_, NOW),
    ("an unset importance counts as high", replace(AT_RISK, importance=""), INES, (), NOW_, NOW),
    ("who wants no mail hears nothing", FAILING, replace(INES, wants=False), (), NEVER, NOW),
    # a person's own word about a deployment
    ("muted", FAILING, replace(INES, muted=frozenset({7})), (), NEVER, NOW),
    ("muted another one", FAILING, replace(INES, muted=frozenset({8})), (), NOW_, NOW),
    (
        "muted one of two",
        replace(FAILING, watched=frozenset({7, 8})),
        replace(INES, muted=frozenset({7})),
        (),
        NOW_,
        NOW,
    ),
    (
        "subscribed, though no mail is wanted",
        AT_RISK,
        replace(INES, wants=False, subscribed=frozenset({7})),
        (),
        NOW_,
        NOW,
    ),
    ("subscribed goes before the digest", LOW_RISK, replace(INES, subscribed=frozenset({7})), (), NOW_, NOW),
    ("subscribed goes before rules", FAILING, replace(INES, subscribed=frozenset({7})), never(), NOW_, NOW),
    # rules: the first that matches and names the addressee
    ("a rule for everybody", FAILING, INES, (Rule("r", delivery=DIGEST),), DIGEST, NOW),
    (
        "a rule that names somebody else",
        FAILING,
        INES,
        (Rule("r", delivery=DIGEST, names=frozenset({"m2"})),),
        NOW_,
        NOW,
    ),
    ("the first rule decides", FAILING, INES, (Rule("a", delivery=NEVER), Rule("b")), NEVER, NOW),
    ("another importance", FAILING, INES, never(importances=frozenset({"LOW"})), NOW_, NOW),
    ("its importance", FAILING, INES, never(importances=frozenset({"HIGH"})), NEVER, NOW),
    (
        "unset importance meets high",
        replace(FAILING, importance=""),
        INES,
        never(importances=frozenset({"HIGH"})),
        NEVER,
        NOW,
    ),
    ("another area", FAILING, INES, never(areas=frozenset({"service"})), NOW_, NOW),
    ("its area", FAILING, INES, never(areas=frozenset({"drift"})), NEVER, NOW),
    ("a tag by name", FAILING, INES, never(tags=frozenset({"team"})), NEVER, NOW),
    ("a tag by value", FAILING, INES, never(tags=frozenset({"team=risk"})), NEVER, NOW),
    ("another value of the tag", FAILING, INES, never(tags=frozenset({"team=web"})), NOW_, NOW),
    ("only failing, and it is", FAILING, INES, never(only_failing=True), NEVER, NOW),
    ("only failing, and it is at risk", AT_RISK, INES, never(only_failing=True), NOW_, NOW),
    # hours of a rule: what happens outside of them waits
    ("within the rule's hours", FAILING, INES, (Rule("r", hours=OFFICE),), NOW_, NOW),
    ("before the rule's hours", FAILING, INES, (Rule("r", hours=NY_OFFICE),), NOW_, NINE_THERE),
    # hours of a person
    ("at risk outside the own hours waits", AT_RISK, replace(INES, hours=NY_OFFICE), (), NOW_, NINE_THERE),
    ("failing breaks through", FAILING, replace(INES, hours=NY_OFFICE), (), NOW_, NOW),
    (
        "critical only, and it is high",
        FAILING,
        replace(INES, hours=NY_OFFICE, breaks_through=Breaks.CRITICAL),
        (),
        NOW_,
        NINE_THERE,
    ),
    (
        "critical only, and it is",
        replace(FAILING, severity=Severity.CRITICAL),
        replace(INES, hours=NY_OFFICE, breaks_through=Breaks.CRITICAL),
        (),
        NOW_,
        NOW,
    ),
    (
        "nothing breaks through",
        replace(FAILING, severity=Severity.CRITICAL),
        replace(INES, hours=NY_OFFICE, breaks_through=Breaks.NOTHING),
        (),
        NOW_,
        NINE_THERE,
    ),
    # nobody answered
    ("owners, managers and channels are called", UNANSWERED, replace(INES, answers=True), (), NOW_, NOW),
    ("a member is not", UNANSWERED, INES, (), NEVER, NOW),
    ("a rule names who is called", UNANSWERED, INES, CALLS_INES, NOW_, NOW),
    ("then the others are not", UNANSWERED, replace(INES, key="m2", answers=True), CALLS_INES, NEVER, NOW),
    (
        "a rule for escalation says nothing about news",
        FAILING,
        INES,
        (Rule("e", escalation=True, delivery=NEVER),),
        NOW_,
        NOW,
    ),
    (
        "who muted it is not called either",
        UNANSWERED,
        replace(INES, answers=True, muted=frozenset({7})),
        (),
        NEVER,
        NOW,
    ),
    (
        "being called does not wait for working hours",
        UNANSWERED,
        replace(INES, answers=True, hours=NY_OFFICE),
        (),
        NOW_,
        NOW,
    ),
]


@pytest.mark.parametrize(
    ("what", "hearer", "rules", "delivery", "at"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_who_hears(what: Happening, hearer: Hearer, rules: tuple[Rule, ...], delivery: Delivery, at: datetime) -> None:
    (found,) = who_hears(what, [hearer], rules, NOW)
    assert (found.delivery, found.at, found.key) == (delivery, at, hearer.key)
    assert found.why


OWNER, CHANNEL = replace(INES, answers=True), Hearer("c1", answers=True, is_channel=True)
DIGEST_FOR_ALL = Rule("calm", delivery=DIGEST)
BY_AREA = [
    # (what the policy says of data drift, happening, hearer, rules, delivery)
    (AreaPolicy(delivery=DIGEST), FAILING, INES, (), DIGEST),
    (AreaPolicy(delivery=NEVER), FAILING, INES, (), NEVER),
    # It goes before what holds for deployments of low importance.
    (AreaPolicy(delivery=NOW_), replace(AT_RISK, importance="LOW", area="drift"), INES, (), NOW_),
    # Another area is not meant.
    (AreaPolicy(delivery=NEVER), replace(FAILING, area="accuracy"), INES, (), NOW_),
    # A rule goes before it, and so does the person's own word.
    (AreaPolicy(delivery=NEVER), FAILING, INES, (Rule("all"),), NOW_),
    (AreaPolicy(delivery=NOW_), FAILING, INES, (DIGEST_FOR_ALL,), DIGEST),
    (AreaPolicy(delivery=NEVER), FAILING, replace(INES, subscribed=frozenset({7})), (), NOW_),
    (AreaPolicy(delivery=NOW_), FAILING, replace(INES, wants=False), (), NEVER),
    # Whom: the others have it in their digest; a channel has none.
    (AreaPolicy(whom=Whom.ANSWERING), FAILING, OWNER, (), NOW_),
    (AreaPolicy(whom=Whom.ANSWERING), FAILING, INES, (), DIGEST),
    (AreaPolicy(whom=Whom.ANSWERING), FAILING, CHANNEL, (), NOW_),
    (AreaPolicy(whom=Whom.CHANNELS), FAILING, OWNER, (), DIGEST),
    (AreaPolicy(whom=Whom.CHANNELS), FAILING, CHANNEL, (), NOW_),
    (AreaPolicy(whom=Whom.MEMBERS), FAILING, CHANNEL, (), NEVER),
    (AreaPolicy(whom=Whom.MEMBERS, delivery=DIGEST), FAILING, INES, (), DIGEST),
    # Who is left out stays so where at risk of low importance would wait anyway.
    (AreaPolicy(whom=Whom.ANSWERING), replace(AT_RISK, importance="LOW", area="drift"), OWNER, (), DIGEST),
    # Told to nobody: nobody is called either, unless a rule says who.
    (AreaPolicy(delivery=NEVER), UNANSWERED, OWNER, (), NEVER),
    (AreaPolicy(delivery=DIGEST), UNANSWERED, OWNER, (), NOW_),
    (AreaPolicy(delivery=NEVER), UNANSWERED, INES, (Rule("calls", escalation=True, names=frozenset({"m1"})),), NOW_),
]


@pytest.mark.parametrize(("own", "what", "hearer", "rules", "delivery"), BY_AREA)
def test_who_hears_by_area(
    own: AreaPolicy, what: Happening, hearer: Hearer, rules: tuple[Rule, ...], delivery: Delivery
) -> None:
    happening = what if what.area else replace(what, area="drift")
    (found,) = who_hears(happening, [hearer], rules, NOW, {"drift": own})
    assert found.delivery is delivery
    assert found.why


def at(month: int, day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


HOURS = [
    # (hours, moment in UTC, within, next)
    (OFFICE, at(5, 1, 8, 0), True, at(5, 1, 8, 0)),
    (OFFICE, at(5, 1, 17, 0), False, at(5, 4, 8, 0)),
    (OFFICE, at(5, 2, 12, 0), False, at(5, 4, 8, 0)),
    # over midnight: the night of Friday reaches into Saturday
    (Hours(LONDON, frozenset({4}), time(22), time(6)), at(5, 2, 3, 0), True, at(5, 2, 3, 0)),
    (Hours(LONDON, frozenset({4}), time(22), time(6)), at(5, 1, 3, 0), False, at(5, 1, 21, 0)),
    # whole days
    (Hours(TOKYO, frozenset({5})), at(5, 1, 15, 30), True, at(5, 1, 15, 30)),
    (Hours(TOKYO, frozenset({5})), at(5, 1, 14, 0), False, at(5, 1, 15, 0)),
    # the clocks go forward in the night to Sunday 29 March: nine o'clock is nine o'clock
    (Hours(LONDON, frozenset(), time(9), time(18)), at(3, 28, 20, 0), False, at(3, 29, 8, 0)),
]


@pytest.mark.parametrize(("hours", "moment", "within", "following"), HOURS)
def test_hours(hours: Hours, moment: datetime, within: bool, following: datetime) -> None:
    assert hours.hold(moment) is within
    assert hours.next(moment) == following


times = st.times().map(lambda one: one.replace(microsecond=0))


@given(
    st.builds(
        Hours,
        st.sampled_from([LONDON, NEW_YORK, TOKYO, ZoneInfo("UTC")]),
        st.frozensets(st.integers(0, 6)),
        times,
        times,
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_the_next_hour_is_never_past_and_lies_within(hours: Hours, moment: datetime) -> None:
    following = hours.next(moment)
    assert following >= moment
    assert following - moment < timedelta(days=9)
    # A wall-clock time that the night of the change skips lies nowhere.
    assert (
        hours.hold(following)
        or following.astimezone(hours.zone).utcoffset() != moment.astimezone(hours.zone).utcoffset()
    )


def test_the_order_of_addressees_does_not_matter() -> None:
    hearers = [INES, replace(INES, key="m2", wants=False), Hearer("c1", answers=True)]
    rules = [Rule("r", names=frozenset({"c1"}), delivery=DIGEST)]
    forward = who_hears(FAILING, hearers, rules, NOW)
    assert sorted(who_hears(FAILING, hearers[::-1], rules, NOW), key=lambda one: one.key) == sorted(
        forward, key=lambda one: one.key
    )
