from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from ops.retention import RULES, forget_old


class Command(BaseCommand):
    help = "Deletes what is older than it is kept, as the worker does: see docs/operations.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say how much that is, and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        for rule in RULES:
            self.stdout.write(f"{rule.old(timezone.now()).count():10,} {rule.what}")
        if not options["dry_run"]:
            forget_old()
