"""The worker, which does what is done besides requests.

It runs in each process of the server, unless WORKER is off, or as `manage.py worker`. Several
workers at the same time do no harm. Besides jobs (ops/jobs.py) it has periodic duties.
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
from ops.models import Heartbeat
from ops.retention import forget_old
from rooms.models import Room
from rooms.presence import look
from web.folding import fold_all
from webhooks.delivery import deliver_due

# Seconds for which a stopping worker waits for its threads.
PATIENCE = 20
# In seconds, between two runs of a duty that fails.
LONGEST_PAUSE = 30

logger = logging.getLogger(__name__)


def tidy() -> None:
    """Correct presence and recordings by asking OpenTok, fold old rows, delete what is old."""
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


def tell_that_it_runs() -> None:
    """For the metrics and `manage.py doctor`."""
    Heartbeat.objects.beat()


# Each duty and the seconds between its runs; `manage.py housekeeping` runs all in this order.
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
    (tell_that_it_runs, 60),
]


class Worker:
    """Runs each duty in a thread of its own."""

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
        """Returns once all threads have ended, or PATIENCE is over."""
        self._told_to_stop.set()
        until = monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(until - monotonic(), 0))

    def _repeat(self, duty: Callable[[], None], seconds: float) -> None:
        pause = seconds
        while not self._told_to_stop.wait(pause):
            # Growing pauses keep the log short while the database is away, or not migrated yet.
            pause = seconds if do(duty) else max(seconds, min(2 * pause, LONGEST_PAUSE))
            connection.close()  # there are few connections, and requests need them


def do(duty: Callable[[], None]) -> bool:
    """Run a duty once, and log its errors. Returns whether there were none."""
    try:
        # Without a traceback if the database is away, or rows are locked.
        with best_effort(f"do a duty of the worker ({duty.__name__})"):
            duty()
            return True
    except Exception:
        logger.exception("The worker failed: %s", duty.__name__)
    return False
