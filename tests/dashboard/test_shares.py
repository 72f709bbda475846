"""Share links, badges and the wall: they show one thing to whoever holds them, and nothing else to anybody."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.sharing.pages import SHAREABLE
from dashboard.sharing.purify import purify
from dashboard.tabs.registry import TABS
from monitoring.models import AuditEntry, IncidentEvent, ShareKind, ShareLink, Source, Status, Watched
from monitoring.shares import ShareRefused, make
from tests.dashboard.world import World
from tests.monitoring.factories import make_incident

LABEL = "Flight delayed > 15 min"


def share(world: World, kind: ShareKind, days: float = 7, **fields: object) -> str:
    """The token of a fresh link."""
    now = timezone.now()
    values = {"team": world.team, "name": "the board", "expires_at": now + timedelta(days=days), **fields}
    return make(ShareLink(kind=kind, **values), world.owner, now)


def text_of(world: World, token: str, client: Client | None = None) -> str:
    response = (client or Client()).get(reverse("shared", args=[token]))
    assert response.status_code == 200
    return response.content.decode()


def links_of(html: str) -> list[str]:
    """Everything on a page that leads or fetches, figures included."""
    found = re.findall(r'\s(?:href|src|action|hx-\w+|data-href|data-help)="([^"]*)"', html)
    found += re.findall(r'https?://[^\s"<\\]+', html.replace("http://www.w3.org", ""))
    return [href for href in found if not href.startswith(("/static/", "#", "data:"))]


# --- Making -------------------------------------------------------------------------------------------------------


def test_a_link_is_made_once_shown_once_and_audited(world: World, inside: Client) -> None:
    asked = {
        "kind": "deployment",
        "deployment": world.watched().pk,
        "tab": "drift",
        "query": "range=7d&feature=pressure",
    }
    made = inside.post(reverse("share-add"), {**asked, "name": "Board", "days": "7"})
    address = re.search(r"/s/([\w-]+)/", made.content.decode())
    assert address is not None
    link = ShareLink.objects.get()
    assert link.query == "range=7d&feature=pressure"
    assert address[1] not in json.dumps(list(ShareLink.objects.values()), default=str)
    assert LABEL.replace(">", "&gt;") in text_of(world, address[1])
    assert AuditEntry.objects.filter(action="share-created", user=world.owner).count() == 1
    link.refresh_from_db()
    assert (link.opened, link.opened_at is not None) == (1, True)
    inside.post(reverse("share-revoke", args=[link.pk]))
    assert AuditEntry.objects.filter(action="share-revoked").count() == 1
    assert Client().get(address[0]).status_code == 404


@pytest.mark.parametrize("days", ["", "0", "-1", "400", "x"])
def test_a_link_must_end_within_its_longest_life(world: World, inside: Client, days: str) -> None:
    asked = {"kind": "deployment", "deployment": world.watched().pk, "tab": "drift", "name": "Board", "days": days}
    assert inside.post(reverse("share-add"), asked).status_code == 200
    assert not ShareLink.objects.exists()
    with pytest.raises(ShareRefused, match="must end"):
        share(world, ShareKind.FLEET, days=91)


@pytest.mark.parametrize(
    "asked",
    ["kind=x", "kind=deployment", "kind=deployment&deployment=99999", "kind=incident&incident=9", "kind=fleet&team=0"],
)
def test_what_does_not_exist_or_is_not_theirs_cannot_be_shared(world: World, inside: Client, asked: str) -> None:
    assert inside.get(f"{reverse('share-add')}?{asked}").status_code == 404


def test_tabs_with_rows_people_or_settings_are_not_shared(world: World, inside: Client) -> None:
    for tab in set(TABS) - set(SHAREABLE):
        asked = f"kind=deployment&deployment={world.watched().pk}&tab={tab}"
        assert inside.get(f"{reverse('share-add')}?{asked}").status_code == 404, tab


# --- Opening ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tab", [tab for tab in SHAREABLE if tab in TABS and tab != "batches"])
def test_a_shared_tab_leads_nowhere_and_names_nobody_else(world: World, tab: str) -> None:
    html = text_of(world, share(world, ShareKind.DEPLOYMENT, watched=world.watched(), tab=tab))
    assert links_of(html) == []
    assert "flights.example" not in html
    assert world.watched().remote_id not in html
    assert "ines" not in html.lower().replace("lines", "").replace("timelines", "")
    assert "<form" not in html
    assert "hx-" not in html
    for other in Watched.objects.exclude(pk=world.watched().pk):
        assert other.label.replace(">", "&gt;") not in html
    assert world.watched().source.name not in re.sub(r"<title>.*?</title>", "", html)


def test_a_link_of_one_deployment_never_shows_another_whatever_is_asked(world: World) -> None:
    other = world.watched("Arrival delay, minutes")
    token = share(world, ShareKind.DEPLOYMENT, watched=world.watched(), tab="drift")
    plain = text_of(world, token)
    for query in (
        f"?deployment={other.pk}",
        f"?pk={other.pk}",
        "?tab=accuracy",
        "?model=x",
        "?segment=carrier:UA",
        "?as_of=2020-01-01",
    ):
        cache.clear()
        html = Client().get(reverse("shared", args=[token]) + query).content.decode()
        assert other.label not in html
        assert _content(html) == _content(plain), query
    for path in (f"{token}/../{other.pk}/", f"{token}x/", token[:-1] + "/"):
        assert Client().get(f"/s/{path}").status_code == 404


def _content(html: str) -> str:
    """What is shown of the tab: without the foot, which tells the time."""
    return html.split('<div id="content"')[1].split('<footer class="foot inset')[0]


def test_every_page_of_the_app_stays_closed_to_who_holds_a_link(world: World) -> None:
    client = Client()
    text_of(world, share(world, ShareKind.DEPLOYMENT, watched=world.watched(), tab="drift"), client)
    for name, args in (
        ("fleet", []),
        ("overview", [world.watched().pk]),
        ("chart-csv", [world.watched().pk, "drift", "series"]),
    ):
        assert client.get(reverse(name, args=args)).status_code == 302


def test_files_come_only_with_links_that_were_made_with_them(world: World) -> None:
    without = share(world, ShareKind.DEPLOYMENT, watched=world.watched(), tab="accuracy")
    with_csv = share(world, ShareKind.DEPLOYMENT, watched=world.watched(), tab="accuracy", with_csv=True)
    assert ".csv" not in text_of(world, without)
    assert Client().get(reverse("shared-csv", args=[without, "main"])).status_code == 404
    files = set(links_of(text_of(world, with_csv)))
    assert files
    for href in files:
        answer = Client().get(href)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8"), href
    assert Client().get(reverse("shared-csv", args=[with_csv, "nonsense"])).status_code == 404


def test_a_shared_incident_tells_what_happened_and_not_who(world: World) -> None:
    row = make_incident(world.watched(), assignee=world.owner, opened_at=world.now, began_at=world.now)
    IncidentEvent.objects.create(incident=row, at=world.now, kind="note", by=world.owner, text="Ask Petra about it")
    IncidentEvent.objects.create(incident=row, at=world.now, kind="acknowledged", by=world.owner)
    html = text_of(world, share(world, ShareKind.INCIDENT, incident=row))
    assert "1 feature above PSI 0.15." in html
    assert "Acknowledged" in html
    assert "Petra" not in html
    assert "Ines" not in html
    assert links_of(html) == []


def test_a_shared_fleet_holds_the_teams_own_narrowed_view(world: World) -> None:
    token = share(world, ShareKind.FLEET, query="status=failing")
    html = text_of(world, token)
    failing = Watched.objects.filter(worst=Status.FAILING).count()
    assert html.count('<b class="name">') == failing
    assert links_of(html) == []
    Source.objects.update(team=world.outsider.memberships.get().team)
    cache.clear()
    assert '<b class="name">' not in text_of(world, token)


def test_a_deployment_that_went_to_another_team_is_no_longer_shown(world: World) -> None:
    token = share(world, ShareKind.DEPLOYMENT, watched=world.watched(), tab="drift")
    Source.objects.update(team=world.outsider.memberships.get().team)
    assert Client().get(reverse("shared", args=[token])).status_code == 404


def test_ended_revoked_and_invented_links_look_alike(world: World) -> None:
    ended, revoked = (share(world, ShareKind.FLEET) for _ in range(2))
    ShareLink.objects.filter(pk=ShareLink.objects.order_by("pk")[0].pk).update(expires_at=world.now - timedelta(days=1))
    ShareLink.objects.filter(pk=ShareLink.objects.order_by("-pk")[0].pk).update(revoked_at=world.now)
    answers = [Client().get(reverse("shared", args=[token])) for token in (ended, revoked, "a" * 43)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_who_asks_too_often_is_told_to_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "RATE_LIMIT_SHARED", 3)
    token = share(world, ShareKind.FLEET)
    codes = [Client().get(reverse("shared", args=[token])).status_code for _ in range(5)]
    assert codes.count(429) >= 1
    assert codes[0] == 200


def test_behind_a_proxy_each_reader_is_counted_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "RATE_LIMIT_SHARED", 2)
    monkeypatch.setattr(settings, "BEHIND_PROXY", True)
    url = reverse("shared", args=[share(world, ShareKind.FLEET)])
    codes = [Client().get(url, headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in (1, 1, 1, 2)]
    assert codes == [200, 200, 429, 200]


def test_shared_pages_are_kept_by_nobody_and_cannot_be_posted_to(world: World) -> None:
    url = reverse("shared", args=[share(world, ShareKind.FLEET)])
    answer = Client().get(url)
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert Client().post(url).status_code == 405


# --- Badges -------------------------------------------------------------------------------------------------------


def badge(token: str, kind: str = "json") -> dict[str, object]:
    answer = Client().get(reverse(f"badge-{kind}", args=[token]))
    return {"code": answer.status_code, **(answer.json() if kind == "json" else {})}


def test_a_badge_tells_the_verdict_and_when_it_was_known(world: World) -> None:
    Watched.objects.update(seen_at=timezone.now(), polled_at=timezone.now())
    token = share(world, ShareKind.BADGE, watched=world.watched())
    found = badge(token)
    assert (found["label"], found["message"], found["status"], found["stale"]) == (LABEL, "failing", "failing", False)
    picture = Client().get(reverse("badge-svg", args=[token]))
    assert picture["Content-Type"].startswith("image/svg+xml")
    assert "max-age=60" in picture["Cache-Control"]
    assert "Flight delayed &gt; 15 min: failing" in picture.content.decode()
    again = Client().get(reverse("badge-svg", args=[token]), headers={"If-None-Match": picture["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_badge_of_a_silent_source_says_stale_and_is_not_green_or_red(world: World) -> None:
    Watched.objects.update(worst=Status.PASSING, severity=0)
    Source.objects.update(silent_since=timezone.now() - timedelta(hours=3))
    found = badge(share(world, ShareKind.BADGE, watched=world.watched()))
    assert str(found["message"]).startswith("stale, was passing")
    assert (found["status"], found["stale"]) == ("unknown", True)


def test_a_badge_of_what_is_gone_is_unknown_and_one_that_ended_says_so(world: World) -> None:
    token = share(world, ShareKind.BADGE, watched=world.watched())
    Watched.objects.update(gone_at=timezone.now())
    assert badge(token)["message"] == "unknown"
    ShareLink.objects.update(revoked_at=timezone.now())
    assert (badge(token)["code"], badge(token)["message"]) == (404, "link ended")
    assert badge("b" * 43)["message"] == "link ended"


def test_a_badge_of_a_team_counts_its_fleet(world: World) -> None:
    Source.objects.update(last_ok_at=timezone.now())
    token = share(world, ShareKind.BADGE)
    failing = Watched.objects.filter(worst=Status.FAILING).count()
    assert str(badge(token)["message"]).startswith(f"{failing} failing")
    Watched.objects.update(worst=Status.PASSING, severity=0)
    assert badge(token)["message"] == "all 6 passing"
    Source.objects.update(last_ok_at=timezone.now() - timedelta(hours=1))
    assert (badge(token)["message"], badge(token)["stale"]) == ("stale, was all 6 passing", True)


# --- The wall -----------------------------------------------------------------------------------------------------


def test_the_wall_shows_the_worst_large_and_opens_by_link_without_names(world: World) -> None:
    make_incident(world.watched(), assignee=world.owner)
    html = text_of(world, share(world, ShareKind.WALL))
    assert 'data-theme="dark"' in html
    assert f"<h2>{LABEL.replace('>', '&gt;')}</h2>" in html
    assert "Ines" not in html
    assert "<a " not in html


def test_the_wall_says_loudly_when_its_data_are_old(world: World, inside: Client) -> None:
    Source.objects.update(last_ok_at=timezone.now())
    assert "wall-trouble" not in inside.get(reverse("tv")).content.decode()
    Source.objects.update(last_ok_at=timezone.now() - timedelta(hours=2), silent_since=None)
    assert "Old data: no source has answered for 2\u202fh" in inside.get(reverse("tv")).content.decode()
    Source.objects.update(last_ok_at=timezone.now(), silent_since=timezone.now())
    assert "1 of 1 source does not answer" in inside.get(reverse("tv")).content.decode()


# --- The purifier -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ('<a href="/x/">word</a>', "<span>word</span>"),
        (
            '<svg viewBox="0 0 1 1"><a href="/x"><rect y="0"/></a></svg>',
            '<svg viewBox="0 0 1 1"><g><rect y="0"/></g></svg>',
        ),
        ('<a href="#top">up</a>', '<a href="#top">up</a>'),
        ('<form action="/x"><form></form><b>x</b></form>after', "after"),
        ("<p data-private>Ines <b>x</b><br></p>after", "after"),
        ('<p hx-get="/x" class="a">b</p>', '<p class="a">b</p>'),
        ('<p onclick="x()">b &amp; c &#8239;</p>', "<p>b &amp; c &#8239;</p>"),
        ('<tr data-href="/x"><td>1</td></tr>', "<tr><td>1</td></tr>"),
        ('<a class="help" href="/glossary/">?</a>after', "after"),
        (
            '<button data-chart="table">T</button><button data-chart="csv">C</button>',
            '<button data-chart="table">T</button>',
        ),
        ('<script src="https://evil/x.js"></script>', ""),
        (
            '<script type="application/json">{"meta":{"clicks":["/a"],"zoom":true},"t":"/b"}</script>',
            '<script type="application/json">{"meta":{"zoom":false},"t":""}</script>',
        ),
        ("<pre>curl https://flights.example/api/v2/x</pre>", "<pre>curl https://…/api/v2/x</pre>"),
        ('<img src="https://evil/x.png"><img src="/static/a.svg">', '<img><img src="/static/a.svg">'),
    ],
)
def test_only_what_is_harmless_is_let_through(given: str, left: str) -> None:
    assert purify(given, ["flights.example"]) == left
