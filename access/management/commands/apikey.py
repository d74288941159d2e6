from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from access.capabilities import Capability
from access.models import ApiKey


def capabilities(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if unknown := [word for word in words if word not in Capability.values]:
        raise ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(Capability.values)}")
    return words


def end_of_day(text: str) -> datetime:
    try:
        after = date.fromisoformat(text) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise ArgumentTypeError(f"{text!r} is no date such as 2027-01-31") from error
    return timezone.make_aware(datetime.combine(after, time()))


def beginning(text: str) -> str:
    if not text:  # as from a variable of the shell that is not set
        raise ArgumentTypeError("'' would be for all rooms; for those, leave --rooms out")
    return text


class Command(BaseCommand):
    help = "Make, list and revoke API keys."
    # It needs a database, and nothing else of what the server needs.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        create = what.add_parser("create", help="make a key; it alone goes to standard output")
        create.add_argument("name", help="who or what will use it")
        create.add_argument(
            "--can", required=True, type=capabilities, metavar="WHAT,…",
            help=f"what it may do: {', '.join(Capability.values)}",
        )  # fmt: skip
        create.add_argument("--expires", type=end_of_day, metavar="DATE", help="its last day, UTC")
        create.add_argument("--rooms", type=beginning, metavar="PREFIX", help="only these rooms")
        what.add_parser("list", help="the keys, without what is secret of them")
        revoke = what.add_parser("revoke", help="end a key for good")
        revoke.add_argument("prefix", help="what is between the underscores of the key")

    def handle(self, *args: Any, **options: Any) -> None:
        {"create": self.create, "list": self.list, "revoke": self.revoke}[options["what"]](options)

    def create(self, options: dict[str, Any]) -> None:
        key = ApiKey(
            name=options["name"],
            capabilities=options["can"],
            expires_at=options["expires"],
            room_prefix=options["rooms"] or "",
        )
        try:
            key.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        key.issue()
        self.stderr.write(f"The key of {key}, which cannot be shown again:")
        self.stdout.write(key.text)

    def list(self, options: dict[str, Any]) -> None:
        for key in ApiKey.objects.all():
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
            expires = f"{key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "never"
            self.stdout.write(
                f"{key.prefix}  {key.state:7}  {','.join(key.capabilities):24}  "
                f"rooms {key.room_prefix or '*'}  used {used}  expires {expires}  {key}"
            )

    def revoke(self, options: dict[str, Any]) -> None:
        key = ApiKey.objects.filter(prefix=options["prefix"]).first()
        if key is None:
            raise CommandError(f"There is no key with the prefix {options['prefix']}.")
        key.revoke()
        self.stderr.write(f"{key} was revoked.")
