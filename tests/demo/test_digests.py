"""The demo's reader is sent a digest of what the flights did."""

from __future__ import annotations

import pytest

from demo.extras import digests
from monitoring.mail.regular import send_digests
from monitoring.models import DigestPace, Message, NotifyReason, Status, UserPreference
from tests.monitoring.factories import NOW, make_incident, make_member, make_source, make_watched

pytestmark = pytest.mark.django_db


def test_the_first_digest_is_due_at_once_and_comes_once() -> None:
    source = make_source()
    member = make_member(team=source.team)
    make_incident(make_watched(source, worst=Status.FAILING, severity=Status.FAILING.severity))
    digests.ask(member.user, NOW)
    assert (send_digests(NOW), send_digests(NOW)) == (1, 0)
    assert Message.objects.get().why == NotifyReason.DIGEST


def test_a_choice_that_the_reader_made_is_left_alone() -> None:
    member = make_member(team=make_source().team)
    UserPreference.objects.filter(user=member.user).update(digest=DigestPace.NEVER)
    digests.ask(member.user, NOW)
    assert UserPreference.objects.get(user=member.user).digest == DigestPace.NEVER
