"""`manage.py api_token USER`: a new token for the Deployments API, shown this once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deployments.api.authentication import issue
from deployments.models import ApiToken, TokenScope


class Command(BaseCommand):
    help = "Make an API token for a person and print it, or forget the tokens of that name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="what the token is for")
        parser.add_argument("--scope", choices=TokenScope.values, default=TokenScope.WRITE.value)
        parser.add_argument("--revoke", action="store_true", help="forget the person's tokens of that name instead")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get(username=options["username"])
        except User.DoesNotExist:
            raise CommandError(
                f"There is no user {options['username']}: manage.py createsuperuser makes one."
            ) from None
        if options["revoke"]:
            count, _ = ApiToken.objects.filter(user=user, name=options["name"]).delete()
            told = "1 token" if count == 1 else f"{count} tokens"
            self.stdout.write(f"{told} named {options['name']} forgotten.")
            return
        self.stdout.write(issue(user, options["name"], TokenScope(options["scope"])))
