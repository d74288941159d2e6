from typing import Any

from django.core.management.base import BaseCommand

from ops.worker import DUTIES


class Command(BaseCommand):
    help = (
        "Does once what the worker does all the time: runs the jobs that are due, ends what has "
        "run for too long, records meetings, copies recordings to the storage, mends who is in "
        "which room, and forgets what is old."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for duty in dict.fromkeys(duty for duty, _ in DUTIES):
            duty()
