from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from staff.models import SecondFactor


class Command(BaseCommand):
    help = "Remove the second factor of a member of staff, who has lost it."
    # It needs a database, and nothing else of what the server needs.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        remove = what.add_parser("remove", help="the password alone is enough from then on")
        remove.add_argument("name", help="the user name")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        factor = SecondFactor.objects.filter(user__username=name).first()
        if factor is None:
            raise CommandError(f"No user named {name!r} has a second factor.")
        factor.remove()
        self.stdout.write(f"Removed the second factor of {name}.")
