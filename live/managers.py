from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from access.notes import best_effort
from audit.actors import SERVER, acting_as
from audit.models import Entry
from live import operations
from rooms import related
from rooms.models import Room
from rooms.names import clean_name
from video import audio_connector, broadcasts, captions, concurrency, renders, sessions, sip, tokens
from video.answers import Remote
from video.errors import VideoError
from web.errors import Problem
from webhooks import events

if TYPE_CHECKING:
    from live.models import Activity

UPDATED_FIELDS = ["status", "reason", "connection_id", "stream_id", "updated_at", "ended_at",
                  "details"]  # fmt: skip
# The lifetime of a token that OpenTok uses once, at the start.
TOKEN_SECONDS = 300
# The connection data of a call, unless it has its own.
CALL = "call"
# OpenTok's own limit for captions, in seconds.
CAPTIONS_SECONDS = range(300, 14_401)
# How long a start of captions waits for a concurrent one, and how often it looks, in seconds.
OTHER_START_SECONDS = 2.0
OTHER_START_INTERVAL = 0.1

# Called for a new status, in the transaction that stores it.
Tell = Callable[["Activity"], None]


def _tell(activity: Activity) -> None:
    event = f"{activity.kind}.{activity.status}"
    if event in events.EVENTS:
        events.record(event, room=activity.room_name, id=str(activity.pk))


def _record_and_tell(activity: Activity) -> None:
    """For a status that a callback has reported."""
    what = f"{activity.kind}.{activity.status}"
    Entry.objects.record(what, activity, reason=activity.reason)
    _tell(activity)


class ActivityManager(models.Manager["Activity"]):
    """Starts and stops activities at OpenTok, and stores what it reports.

    Database errors after a call are only logged. Errors are those of the modules of video/ of the
    same names.
    """

    def start_broadcast(self, session_id: str, **options: Any) -> Activity:
        """Options: video.broadcasts.start_broadcast."""
        limit = options.setdefault("max_duration", settings.LIVE_MAX_DURATION)
        remote = broadcasts.start_broadcast(session_id, **options)
        return self._begun("broadcast", session_id, remote, seconds=limit)

    def start_captions(self, session_id: str, **options: Any) -> Activity:
        """Start captions, or return the running ones. Options: video.captions.start_captions.

        Error: captions_running, if some run whose id is unknown.
        """
        limit = min(max(settings.LIVE_MAX_DURATION, CAPTIONS_SECONDS[0]), CAPTIONS_SECONDS[-1])
        limit = options.setdefault("max_duration", limit)
        token = _token(session_id, "moderator")
        try:
            captions_id = captions.start_captions(session_id, token=token, **options)
        except VideoError as error:
            if error.code == "captions_running" and (found := self._running_captions(session_id)):
                return found
            raise
        # A session has captions only once, so that all others have ended. The row may exist
        # already, since callbacks can be faster than answers.
        for other in self.running(session_id, "captions").exclude(pk=captions_id):
            self._save(other, {}, ends=True)
        remote = {"id": captions_id, "status": "started"}
        if language := options.get("language_code"):
            remote["languageCode"] = language
        return self._begun("captions", session_id, remote, seconds=limit)

    def _running_captions(self, session_id: str) -> Activity | None:
        """The running captions, if their id is known.

        A concurrent start may still wait for its answer, and stores the id after that.
        """
        until = time.monotonic() + OTHER_START_SECONDS
        while time.monotonic() < until:
            for row in self.running(session_id, "captions"):
                if self._after(row, operations.LOOK["captions"]).is_running:
                    return row
            with concurrency.waiting():
                time.sleep(OTHER_START_INTERVAL)
        return None

    def start_render(self, session_id: str, **options: Any) -> Activity:
        """Options: video.renders.start_render."""
        limit = options.setdefault("max_duration", settings.LIVE_MAX_DURATION)
        token = _token(session_id, "publisher", data="render")
        known = {str(pk) for pk in self.running(session_id, "render").values_list("pk", flat=True)}
        remote = renders.start_render(session_id, token=token, known=known, **options)
        return self._begun("render", session_id, remote, seconds=limit)

    def dial(self, session_id: str, *, data: str = CALL, **options: Any) -> Activity:
        """`data` is the connection data of the call. Options: video.sip.dial."""
        token = _token(session_id, "publisher", data=data)
        remote = sip.dial(session_id, token=token, **options)
        return self._begun("call", session_id, remote | {"status": "started"})

    def connect_audio(self, session_id: str, **options: Any) -> Activity:
        """Options: video.audio_connector.connect."""
        token = _token(session_id, "publisher", data="audio_connector")
        remote = audio_connector.connect(session_id, token=token, **options)
        return self._begun("audio_connector", session_id, remote | {"status": "started"})

    def find(self, kind: str, activity_id: str) -> Activity:
        """Error: the kind's own `…_not_found`."""
        try:
            found = self.filter(pk=UUID(str(activity_id)), kind=kind).first()
        except ValueError:
            found = None
        if found is None:
            raise Problem(f"{kind}_not_found")
        return found

    def latest_of(self, session_id: str, kind: str, **columns: Any) -> Activity:
        """The latest one, also if it has ended. Error: the kind's `…_not_found`."""
        if found := self.filter(session_id=session_id, kind=kind, **columns).first():
            return found
        raise Problem(f"{kind}_not_found")

    def running(self, session_id: str, kind: str = "") -> models.QuerySet[Activity]:
        running = self.filter(session_id=session_id, ended_at__isnull=True)
        return running.filter(kind=kind) if kind else running

    def matching(
        self, *, kind: str, prefix: str = "", room: str | None = None, running: bool | None = None
    ) -> models.QuerySet[Activity]:
        """Activities of a kind, of one room or of rooms whose name starts with `prefix`."""
        found = self.filter(kind=kind)
        if prefix:
            found = related.of_rooms(found, Room.objects.matching(prefix=prefix))
        if room is not None:
            found = found.filter(room_name=clean_name(room))
        return found if running is None else found.filter(ended_at__isnull=running)

    def fetch(self, activity: Activity) -> Activity:
        """The activity as OpenTok has it now, with OpenTok's object as `answer`."""
        self.end_overdue(session_id=activity.session_id)
        return self._after(activity, operations.LOOK[activity.kind])

    def stop(self, activity: Activity) -> Activity:
        """Stop it. Idempotent, also if OpenTok has stopped it by itself."""
        if not activity.is_running:
            return activity
        stopped = self._after(activity, operations.STOP[activity.kind], ends=True)
        if stopped.answer is not None:  # or it had ended already
            Entry.objects.note(f"{activity.kind}.stopped", activity)
        return stopped

    def end_overdue(self, *, session_id: str = "") -> int:
        """Stop overdue activities of one session or of all. Returns how many have ended."""
        overdue = self.filter(ended_at__isnull=True, ends_at__lt=timezone.now())
        if session_id:
            overdue = overdue.filter(session_id=session_id)
        ended = 0
        for activity in overdue:
            if not sessions.owns(activity.session_id):
                continue  # end_in_other_projects
            with acting_as(SERVER), operations.failure_logged("stop what is overdue"):
                ended += not self.stop(activity).is_running
        return ended

    def end_in_other_projects(self) -> None:
        """End overdue activities of other projects, of which OpenTok stops none for us."""
        for activity in self.filter(ended_at__isnull=True, ends_at__lt=timezone.now()):
            if not sessions.owns(activity.session_id):
                self._save(activity, {}, ends=True)

    def end_in_empty_session(self, session_id: str) -> None:
        """Stop all but broadcasts, which OpenTok ends, in a session without people."""
        running = list(self.running(session_id).exclude(kind="broadcast"))
        if not running:
            return
        with acting_as(SERVER), operations.failure_logged("look for people in a session"):
            if operations.has_people(session_id, running):
                return
            for activity in running:
                self.stop(activity)

    def apply_callback(self, kind: str, remote: Remote) -> None:
        """Store a callback, which may come late, more than once, in any order, and be about
        activities that other programs have started.
        """
        with transaction.atomic():
            row = self.select_for_update().filter(pk=remote["id"], kind=kind).first()
            if row:
                self._update(row, remote, tell=_record_and_tell)
        if row is None:
            row = self._new(kind, str(remote["sessionId"]), remote)
            self._insert(row, remote, tell=_record_and_tell)

    def _begun(
        self, kind: str, session_id: str, remote: Remote, *, seconds: int | None = None
    ) -> Activity:
        activity = self._new(kind, session_id, remote, seconds=seconds)
        activity.answer = remote
        with best_effort(f"note what was started: {kind}"):
            self._insert(activity, remote)
            Entry.objects.note(f"{kind}.started", activity)
        return activity

    def _new(
        self, kind: str, session_id: str, remote: Remote, *, seconds: int | None = None
    ) -> Activity:
        now = timezone.now()
        limit = settings.LIVE_MAX_DURATION if seconds is None else seconds
        activity = self.model(
            id=UUID(str(remote["id"])),
            kind=kind,
            session_id=session_id[:255],
            status="started",
            created_at=now,
            ends_at=now + timedelta(seconds=limit),
        )
        activity.take_over(remote)
        return activity

    def _insert(self, activity: Activity, remote: Remote, *, tell: Tell = _tell) -> None:
        room = Room.objects.of_session(activity.session_id)
        activity.room, activity.room_name = room, room.name if room else ""
        try:
            self._add(activity, tell)
        except IntegrityError:
            if known := self.filter(pk=activity.pk).first():  # a callback was faster
                self._save(known, remote, tell=tell)
            else:  # the room was deleted meanwhile
                activity.room = None
                self._add(activity, tell)

    def _add(self, activity: Activity, tell: Tell) -> None:
        with transaction.atomic():
            activity.save(force_insert=True)
            tell(activity)

    def _after(self, activity: Activity, ask: operations.Ask, *, ends: bool = False) -> Activity:
        """Ask OpenTok, and store the answer. An unknown activity has ended."""
        try:
            activity.answer = ask(activity) or {}
        except VideoError as error:
            if error.code not in operations.GONE:
                raise
            activity.answer = None
            ends = True
        with best_effort("note what OpenTok said"):
            self._save(activity, activity.answer or {}, ends=ends)
        return activity

    def _save(
        self, activity: Activity, remote: Remote, *, ends: bool = False, tell: Tell = _tell
    ) -> None:
        """Store news in the row, and in `activity`, which has them even if the row cannot be
        written.
        """
        if not _take_over(activity, remote, ends=ends):
            return
        with transaction.atomic():
            if row := self.select_for_update().filter(pk=activity.pk).first():
                self._update(row, remote, ends=ends, tell=tell)
        if row:
            for name in UPDATED_FIELDS:
                setattr(activity, name, getattr(row, name))

    def _update(self, row: Activity, remote: Remote, *, ends: bool = False, tell: Tell) -> None:
        """Store news in a row that the caller has locked, and call `tell` for a new status.

        Callbacks and answers race, so that only the locked row says which of them is news.
        """
        status = row.status
        if _take_over(row, remote, ends=ends):
            row.save(update_fields=UPDATED_FIELDS)
        if row.status != status:
            tell(row)


def _take_over(activity: Activity, remote: Remote, *, ends: bool) -> bool:
    has_changed = activity.take_over(remote)
    if ends and activity.is_running:
        activity.end()
        has_changed = True
    return has_changed


def _token(session_id: str, role: str, *, data: str = "") -> str:
    return tokens.generate_token(session_id, role=role, lifetime=TOKEN_SECONDS, data=data)
