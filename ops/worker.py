"""What the server does by itself, beside requests: its worker.

It runs in each process of the server, unless WORKER is off, or as a program of its own, `manage.py
worker`; several of them at once do no harm. Jobs are what a request leaves for later (ops/jobs.py);
all else is done again and again.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from django.db import connection

from access.notes import best_effort
from archives.copying import copy_due
from archives.models import Archive
from live.deadlines import meet_deadlines
from live.enforcement import enforce_all
from live.operations import failure_logged
from live.other_projects import end_in_other_projects
from live.recording import ask_about_recordings, find_meetings, keep_recordings
from meetings.models import Meeting
from ops.jobs import run_jobs
from ops.retention import forget_old
from rooms.models import Room
from rooms.presence import look
from web.folding import fold_all
from webhooks.delivery import deliver_due

# Seconds that a worker which is told to stop gives what it is doing.
PATIENCE = 20

logger = logging.getLogger(__name__)


def tidy() -> None:
    """Mend who is where, what became of recordings, and what is searched; forget what is old."""
    with best_effort("end what ran in another project"):
        end_in_other_projects()
    for meeting in Meeting.objects.filter(ended_at=None):
        with failure_logged("look who is in a room"):
            look(meeting.session_id, room_name=meeting.room_name)
    find_meetings(used_within=timedelta(days=1))
    ask_about_recordings()
    fold_all(Room.objects.all(), "folded_name")
    fold_all(Archive.objects.all(), "folded_names")
    forget_old()


# What is done, and the seconds between one time and the next; in this order where all is done once.
DUTIES: list[tuple[Callable[[], None], float]] = [
    (tidy, 600),
    (meet_deadlines, 10),
    (enforce_all, 10),
    (keep_recordings, 10),
    (run_jobs, 1),
    # Twice, so that one slow receiver does not hold up the others.
    (deliver_due, 1),
    (deliver_due, 1),
    (copy_due, 10),
]


class Worker:
    """A thread for each duty, so that none waits for another."""

    def __init__(self) -> None:
        self._told_to_stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=duty, name=duty[0].__name__, daemon=True)
            for duty in DUTIES
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Once each thread has done what it is at, or PATIENCE is over."""
        self._told_to_stop.set()
        until = monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(until - monotonic(), 0))

    def _repeat(self, duty: Callable[[], None], seconds: float) -> None:
        while not self._told_to_stop.wait(seconds):
            do(duty)


def do(duty: Callable[[], None]) -> None:
    """What goes wrong is logged: the next time may go well."""
    try:
        # The database may be away, or rows in use.
        with best_effort(f"do a duty of the worker ({duty.__name__})"):
            duty()
    except Exception:
        logger.exception("The worker failed: %s", duty.__name__)
    finally:
        connection.close()  # few are open at once, and the requests need them
