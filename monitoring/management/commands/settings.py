"""`manage.py settings export|plan|apply`: settings of deployments as a document in a repository.

`plan` says what would change and ends with 3 if anything would; `apply` asks for it in somebody's name, with the rights
that the person has on the pages. Workers carry it out; `--wait` says how it ended.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from monitoring.configuration.document import read, written
from monitoring.configuration.plan import Fate, Plan, apply, plan
from monitoring.configuration.present import fleet, payloads
from monitoring.configuration.values import words
from monitoring.models import Command as Asked
from monitoring.models import Team, WorkState

#: The longest document that a file may hold.
LONGEST = 100_000_000
CHANGES = 3


class Command(BaseCommand):
    help = "Take settings of deployments out as YAML, compare such a document with what is there, or put it in."

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        out = parts.add_parser("export", help="print all settings of a team's deployments")
        out.add_argument("--team", required=True, help="name of the team")
        out.add_argument("--deployment", help="id at its source; only this one")
        look = parts.add_parser("plan", help="say what a document would change")
        into = parts.add_parser("apply", help="ask for what a document would change")
        for part in (look, into):
            part.add_argument("file", help="the document; - reads what is piped in")
            part.add_argument("--as", dest="person", required=True, help="user name of who asks")
        into.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="wait for the end and tell it")
        into.add_argument("--loosen", action="store_true", help="also ask for what loosens the watch")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["part"] == "export":
            self.stdout.write(_exported(options["team"], options["deployment"]), ending="")
            return
        user = User.objects.filter(username=options["person"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no user {options['person']}.")
        made = self.planned(options["file"], user)
        if options["part"] == "plan":
            sys.exit(CHANGES if made.steps else 0)
        if made.loosens and not options["loosen"]:
            raise CommandError("Some of it loosens the watch: --loosen asks for that, too. Nothing was asked for.")
        self.ask(made, user, options["wait"])

    def planned(self, file: str, user: User) -> Plan:
        """Reads the document and tells the plan. Problems end the command."""
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from None
        document = read(text, longest=LONGEST)
        if document.problems:
            raise CommandError("\n".join(f"{file}:{one.line}: {one.text}" for one in document.problems))
        made = plan(document, user, timezone.now())
        for item in made.items:
            for step in item.steps:
                loose = {one.path for one in step.loosens}
                for edit in step.edits:
                    mark = "!" if edit.field.path in loose else "~"
                    before, after = words(edit.field, edit.before), words(edit.field, edit.after)
                    self.stdout.write(f"{mark} {step.watched.label}: {edit.field.name}: {before} -> {after}")
            if item.fate in (Fate.UNKNOWN, Fate.REFUSED):
                self.stdout.write(f"? {item.wanted.label or item.wanted.id} (line {item.wanted.line}): {item.why}")
        told = f"{len(made.of(Fate.CHANGE))} to change, {len(made.of(Fate.SAME))} as they are"
        self.stdout.write(f"{told}, {len(made.of(Fate.UNKNOWN)) + len(made.of(Fate.REFUSED))} not possible.")
        return made

    def ask(self, made: Plan, user: User, seconds: float) -> None:
        """Asks, and waits for the end if wanted; a step that did not come through makes the command fail."""
        now = timezone.now()
        asked = apply(made, user, now, group=f"cli-{made.digest[:12]}-{int(now.timestamp())}")
        self.stdout.write(f"{len(asked)} asked for.")
        until = time.monotonic() + seconds
        ids, running = [one.pk for one in asked], (WorkState.PENDING, WorkState.RUNNING)
        while time.monotonic() < until and Asked.objects.filter(pk__in=ids, state__in=running).exists():
            time.sleep(0.5)
        if not seconds:
            return
        bad = Asked.objects.filter(pk__in=ids).exclude(state=WorkState.DONE).select_related("watched")
        for one in bad:
            self.stdout.write(f"{one.name}: {one.state}. {one.problem}")
        if bad:
            raise CommandError(f"{len(bad)} of {len(ids)} did not come through.")
        self.stdout.write("All done.")


def _exported(name: str, deployment: str | None) -> str:
    team = Team.objects.filter(name=name).first()
    if team is None:
        raise CommandError(f"There is no team {name}.")
    rows = [one for one in fleet([team.pk]) if deployment in (None, one.remote_id)]
    if deployment is not None and not rows:
        raise CommandError(f"The team watches no deployment {deployment}.")
    return written(payloads(rows, timezone.now()))
