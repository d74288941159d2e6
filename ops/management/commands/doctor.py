import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from ops import doctor
from ops.doctor.finding import Finding


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
            self._write_what_to_do(doctor.most_important(findings))
        if any(found.level == "error" for found in findings):
            sys.exit(1)

    def _write_what_to_do(self, findings: list[Finding]) -> None:
        if not findings:
            self.stdout.write("\nNothing has to be done.")
            return
        self.stdout.write("\nTo do, the most important first:")
        for number, found in enumerate(findings, 1):
            self.stdout.write(f"{number}. {found.subject}: {found.message} {found.remedy}")
