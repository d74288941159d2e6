import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from ops.persons import export, find, forget


class Command(BaseCommand):
    help = "Shows what is held about a person, or takes it out: see docs/operations.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["export", "forget"])
        parser.add_argument("person", help="their name or identity in calls, or their user name")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["person"].strip():
            raise CommandError("Name the person.")
        act = export if options["what"] == "export" else forget
        held = find(options["person"])
        told = act(held)
        text = json.dumps(told, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
        self.stdout.write(text)
        if held.other_names:
            names = json.dumps(sorted(held.other_names), ensure_ascii=False)
            self.stderr.write(f"These rows also had other names, for which you can search: {names}")
