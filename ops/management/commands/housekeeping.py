from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from ops.worker import DUTIES, do


class Command(BaseCommand):
    help = (
        "Does once what the worker does all the time: mends who is in which room, forgets what is "
        "old, ends what has run for too long, enforces bans and limits of people, records "
        "meetings, runs the jobs that are due, sends events to webhooks, and copies recordings to "
        "the storage. Does all of it if a part fails; the status is 1 then."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = []
        for duty in dict.fromkeys(duty for duty, _ in DUTIES):
            if not do(duty):
                failed.append(duty.__name__)
                close_old_connections()  # one that broke
        if failed:
            raise CommandError(f"Failed, as the log says: {', '.join(failed)}.")
