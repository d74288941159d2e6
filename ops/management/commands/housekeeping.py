from typing import Any

from django.core.management.base import BaseCommand

from live.deadlines import meet_deadlines
from live.recording import keep_recordings
from ops.housekeeping import tidy


class Command(BaseCommand):
    help = (
        "Does once what each server process does all the time unless HOUSEKEEPING is off: ends "
        "what has run for too long, records meetings, mends who is in which room, and forgets what "
        "is old."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        meet_deadlines()
        tidy()
        keep_recordings()
