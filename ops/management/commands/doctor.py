import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from ops import doctor


class Command(BaseCommand):
    help = "Says what is wrong with this server and what to do about it. Status 1 for any error."
    # It has to run most of all where they fail, and reports them itself.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(doctor.examine())
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2))
        else:
            for found in findings:
                line = f"{found.level:8} {found.subject}: {found.message} {found.remedy}"
                self.stdout.write(line.rstrip())
        if any(found.level == "error" for found in findings):
            sys.exit(1)
