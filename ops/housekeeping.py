"""What the server does by itself, beside requests: by a thread of each process or by a command."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from time import monotonic, sleep

from django.db import connection

from access.notes import best_effort
from archives.models import Archive
from audit.models import Entry
from live.deadlines import meet_deadlines
from live.operations import failure_logged
from live.recording import ask_about_recordings, find_meetings, keep_recordings
from meetings.attendance import forget_attendance
from meetings.models import Meeting, Mute
from rooms.models import Room
from rooms.presence import look
from web.folding import fold_all

# How often, in seconds. Each process does all of it; twice does no harm.
DEADLINES = 10
REPAIRS = 600

logger = logging.getLogger(__name__)


def tidy() -> None:
    """What the thread does now and then: mend who is where, what became of recordings, and what is
    searched; and forget what is old.
    """
    for meeting in Meeting.objects.filter(ended_at=None):
        with failure_logged("look who is in a room"):
            look(meeting.session_id, room_name=meeting.room_name)
    find_meetings(used_within=timedelta(days=1))
    ask_about_recordings()
    fold_all(Room.objects.all(), "folded_name")
    fold_all(Archive.objects.all(), "folded_names")
    forget_attendance()
    Mute.objects.forget_old()
    Entry.objects.forget_old()


class Housekeeper(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="housekeeper", daemon=True)

    def run(self) -> None:
        repaired = monotonic()
        while True:
            sleep(DEADLINES)
            self._do(meet_deadlines)
            self._do(keep_recordings)
            if monotonic() > repaired + REPAIRS:
                self._do(tidy)
                repaired = monotonic()

    def _do(self, task: Callable[[], None]) -> None:
        try:
            # The next time may go well: the database may be away, or rows in use.
            with best_effort(f"do housekeeping ({task.__name__})"):
                task()
        except Exception:
            logger.exception("Housekeeping failed: %s", task.__name__)
        finally:
            connection.close()  # few are open at once, and the requests need them
