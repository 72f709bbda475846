"""The document of settings: out and in again, strict with its lines, and what becomes of each entry."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring import questions as q
from monitoring.configuration.document import read, written
from monitoring.configuration.edits import applied, edits
from monitoring.configuration.fields import FIELDS
from monitoring.configuration.plan import Fate, apply, plan
from monitoring.configuration.present import fleet, payloads
from monitoring.models import Command as Asked
from monitoring.models import CommandKind, Membership, Role, Source, TopicState, Watched
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from tests.monitoring.configuration.test_edits import payloads as answers
from tests.monitoring.factories import NOW, make_member, make_source, make_team, make_watched

HEALTH, SETTINGS, DETAILS = CommandKind.HEALTH_SETTINGS, CommandKind.SETTINGS, CommandKind.DETAILS
ANY = st.fixed_dictionaries({kind: answers(kind) for kind in (HEALTH, SETTINGS, DETAILS)})
patient = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def alone(payloads: dict[CommandKind, Any]) -> str:
    """The document of one deployment that is in no database."""
    source = Source(name="ops: east # 1")
    return written([(Watched(source=source, remote_id="007", label='"yes"'), payloads)])


@patient
@given(ANY)
def test_what_is_written_reads_back_as_nothing_to_change(found: dict[CommandKind, Any]) -> None:
    document = read(alone(found))
    assert document.problems == ()
    wanted = document.wanted[0]
    assert (wanted.id, wanted.source, wanted.label) == ("007", "ops: east # 1", '"yes"')
    for (kind, path), value in wanted.values.items():
        assert edits([FIELDS[kind, path]], found[kind], {path: value}) == ()


@patient
@given(ANY, ANY)
def test_a_document_leads_from_any_settings_to_its_own(
    before: dict[CommandKind, Any], after: dict[CommandKind, Any]
) -> None:
    wanted = read(alone(after)).wanted[0]
    for kind in (HEALTH, SETTINGS, DETAILS):
        values = {path: value for (of, path), value in wanted.values.items() if of is kind}
        fields = [FIELDS[kind, path] for path in values]
        result = applied(before[kind], edits(fields, before[kind], values))
        assert edits(fields, result, values) == ()
        assert set(values) == {path for of, path in FIELDS if of is kind and _there(after[kind], path)}


def _there(payload: Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(payload, dict) or part not in payload:
            return False
        payload = payload[part]
    return True


HEAD = "vitals-settings: 1\ndeployments:\n- id: d1\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "The document begins with"),
        ("a: [", 2, "This is no YAML"),
        ("vitals-settings: 2\ndeployments: []", 1, "The document begins with"),
        ("vitals-settings: 1\ndeployments: 3", 2, "`deployments` is a list."),
        ("vitals-settings: 1\nother: 3\ndeployments: []", 2, "Unknown: other."),
        ("vitals-settings: 1\ndeployments:\n- label: x", 3, "named by its id"),
        ("vitals-settings: 1\ndeployments:\n- id: 12", 3, "put it in quotes"),
        (HEAD + "  health:\n    dataDrift:\n      driftThreshold: 2\n", 6, "Must lie between 0 and 1."),
        (HEAD + "  health:\n    dataDrift:\n      driftTreshold: 0.2\n", 6, "Unknown setting: dataDrift.driftT"),
        (HEAD + "  health:\n    dataDrift: 3\n", 5, "`name: value` lines are needed here."),
        (HEAD + "  health:\n    dataDrift:\n      driftThreshold: 0.1\n      driftThreshold: 0.2\n", 7, "twice"),
        (HEAD + "- id: d1\n", 4, "stands on line 3 already"),
        (HEAD + "  monitoring:\n    featureDrift:\n      enabled: 2020-01-01\n", 6, "Must be on or off."),
        ("a: &x [1]\nb: *x\n", 1, "Anchors and aliases"),
        (HEAD + "  about:\n    label: !!python/object:os.system x\n", 5, "not taken"),
    ],
)
def test_each_problem_is_told_with_its_line_and_nothing_is_used(text: str, line: int, said: str) -> None:
    document = read(text)
    assert document.wanted == ()
    assert document.problems[0].line == line, document.problems
    assert any(said in one.text for one in document.problems), document.problems


def test_every_problem_is_told_at_once() -> None:
    text = HEAD + "  health:\n    dataDrift:\n      driftThreshold: 2\n      importanceThreshold: x\n  nothing: 1\n"
    assert [one.line for one in read(text).problems] == [6, 7, 8]


def test_a_document_that_is_too_long_is_not_read() -> None:
    assert "longer than" in read("x" * 20, longest=10).problems[0].text


# --- Plans --------------------------------------------------------------------------------------------------------


def known(watched: Watched, threshold: float = 0.15) -> None:
    answers = {
        q.health_settings(): {"dataDrift": {"driftThreshold": threshold, "importanceThreshold": 0.5}},
        q.settings(): {"featureDrift": {"enabled": True}},
    }
    outcomes = [Outcome(watched.pk, ask_of((question,), None), TopicState.OK, one) for question, one in answers.items()]
    save(outcomes, now=NOW, lags={})


@pytest.fixture
def member(db: None) -> Membership:
    """An owner whose team watches three deployments."""
    found = make_member("ines")
    source = make_source()
    for number in (1, 2, 3):
        known(make_watched(source, remote_id=f"d{number}", label=f"Model {number}"))
    return found


def change(text: str, threshold: float) -> str:
    """The document with another threshold for the first deployment."""
    return text.replace("driftThreshold: 0.15", f"driftThreshold: {threshold}", 1)


def exported() -> str:
    return written(payloads(fleet([make_team().pk]), NOW))


def test_a_plan_says_what_changes_where_and_what_cannot_be(member: Membership) -> None:
    text = change(exported(), 0.3) + "- id: nowhere\n  health: {}\n"
    made = plan(read(text), member.user, NOW)
    assert [item.fate for item in made.items] == [Fate.CHANGE, Fate.SAME, Fate.SAME, Fate.UNKNOWN]
    step = made.steps[0]
    assert (step.watched.label, step.kind, step.edits[0].before, step.edits[0].after) == ("Model 1", HEALTH, 0.15, 0.3)
    assert made.loosens == 1
    assert (
        made.items[0].wanted.lines[HEALTH, ("dataDrift", "driftThreshold")]
        == text.split("\n").index("      driftThreshold: 0.3") + 1
    )


def test_a_member_who_may_not_change_is_refused_and_an_outsider_sees_nothing(member: Membership) -> None:
    text = change(exported(), 0.1)
    reader = make_member("tomas", role=Role.MEMBER)
    outsider = make_member("eve", team=make_team("Others"))
    assert [item.fate for item in plan(read(text), reader.user, NOW).items][:2] == [Fate.REFUSED, Fate.SAME]
    assert {item.fate for item in plan(read(text), outsider.user, NOW).items} == {Fate.UNKNOWN}


def test_an_id_that_two_sources_have_needs_its_source(member: Membership) -> None:
    known(make_watched(make_source(name="ops-west"), remote_id="d1", label="Twin"))
    text = change(exported(), 0.1).replace("  source: ops-east\n", "")
    item = next(one for one in plan(read(text), member.user, NOW).items if one.wanted.id == "d1")
    assert item.fate is Fate.UNKNOWN
    assert "name its source" in item.why


def test_applying_asks_once_a_step_with_what_was_seen(member: Membership) -> None:
    made = plan(read(change(exported(), 0.1)), member.user, NOW)
    for _ in range(2):
        apply(made, member.user, NOW, group="g1")
    command = Asked.objects.get()
    assert command.body == {"dataDrift": {"driftThreshold": 0.1, "importanceThreshold": 0.5}}
    assert command.read == {"dataDrift": {"driftThreshold": 0.15, "importanceThreshold": 0.5}}
    assert (command.group, command.asked_by) == ("g1", member.user)


def test_the_digest_of_a_plan_is_that_of_what_it_would_do(member: Membership) -> None:
    first = plan(read(change(exported(), 0.1)), member.user, NOW)
    again = plan(read("# a comment\n" + change(exported(), 0.1)), member.user, NOW)
    assert first.digest == again.digest
    text = change(exported(), 0.1)
    known(Watched.objects.get(remote_id="d1"), 0.2)
    assert plan(read(text), member.user, NOW).digest != first.digest


# --- The command line ---------------------------------------------------------------------------------------------


def test_the_command_line_exports_plans_and_applies(
    member: Membership, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("settings", "export", "--team", "Risk")
    text = capsys.readouterr().out
    file = tmp_path / "settings.yaml"
    file.write_text(change(text, 0.1))
    with pytest.raises(SystemExit) as ended:
        call_command("settings", "plan", str(file), "--as", "ines")
    assert ended.value.code == 3
    assert "~ Model 1: dataDrift.driftThreshold: 0.15 -> 0.1" in capsys.readouterr().out
    call_command("settings", "apply", str(file), "--as", "ines")
    assert "1 asked for." in capsys.readouterr().out
    assert Asked.objects.get().asked_by == member.user


def test_the_command_line_asks_for_what_loosens_only_when_told_to(member: Membership, tmp_path: Any) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(change(exported(), 0.4))
    with pytest.raises(CommandError, match="--loosen"):
        call_command("settings", "apply", str(file), "--as", "ines")
    assert not Asked.objects.exists()
    call_command("settings", "apply", str(file), "--as", "ines", "--loosen")
    assert Asked.objects.count() == 1


def test_the_command_line_names_the_line_of_a_problem(member: Membership, tmp_path: Any) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(HEAD + "  nothing: 1\n")
    with pytest.raises(CommandError, match=r"settings.yaml:4: Unknown: nothing"):
        call_command("settings", "plan", str(file), "--as", "ines")
    with pytest.raises(CommandError, match="There is no user"):
        call_command("settings", "plan", str(file), "--as", "nobody")
    with pytest.raises(CommandError, match="There is no team"):
        call_command("settings", "export", "--team", "nobody")
