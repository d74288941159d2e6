"""Updates meetings by OpenTok's callbacks, which come late, twice and in any order, and by its
lists of connections.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from meetings.events import joined, left, meeting_ended, meeting_started
from meetings.models import (
    MAX_DATA,
    MAX_ID,
    MAX_KIND,
    MAX_NAME,
    MAX_REASON,
    Connection,
    Meeting,
    person_in,
)
from meetings.presence import NO_PERSON, present
from video import values
from video.answers import Remote
from web.rows import has_row, row_lock, write
from webhooks.events import together

# The reason of a departure that no callback reported.
NOT_LISTED = "notListed"

# Returns the name of a session's room; called once for each meeting.
NameOf = Callable[[str], str]


@dataclass(frozen=True)
class Told:
    """What a callback or a list says about a client."""

    id: str
    connected_at: datetime
    data: str = ""
    left_at: datetime | None = None
    reason: str = ""


def apply_callback(told: Remote, *, name_of: NameOf) -> Connection | None:
    """Store a callback about a session.

    Returns a present client who was unknown, or whose data was, since lists have no data.
    """
    session_id = values.text(told.get("sessionId"))
    moment = values.moment(told.get("timestamp")) or timezone.now()
    match told["event"]:
        case "connectionCreated":
            if client := _client(told.get("connection"), moment):
                with together():
                    arrived = _join(session_id, client)
                return arrived or _note(session_id, client, name_of)
        case "connectionDestroyed":
            if client := _client(told.get("connection"), moment):
                reason = values.text(told.get("reason"))[:MAX_REASON]
                left = Told(client.id, client.connected_at, client.data, moment, reason)
                _note(session_id, left, name_of)
        case "streamCreated" | "streamDestroyed":
            return _note_stream(session_id, told, moment, name_of)
        case "sessionDestroyed":
            empty(session_id, moment)
    return None


def reconcile(
    session_id: str, listed: Iterable[Remote], *, asked_at: datetime, name_of: NameOf
) -> None:
    """Correct the stored connections by OpenTok's list, which was requested at `asked_at`."""
    there = {
        str(each["connectionId"])[:MAX_ID]: values.moment(each.get("createdAt")) or asked_at
        for each in listed
    }
    for connection in present(session_id).filter(connected_at__lt=asked_at):
        if connection.pk not in there:
            gone = Told(connection.pk, connection.connected_at, "", asked_at, NOT_LISTED)
            _note(session_id, gone, name_of)
    known = dict(Connection.objects.filter(pk__in=there).values_list("pk", "reason"))
    for connection_id, connected_at in there.items():
        if connection_id not in known:
            _note(session_id, Told(connection_id, connected_at), name_of)
        elif known[connection_id] == NOT_LISTED:
            _return(connection_id, asked_at)


def client_id(about: Any) -> str:
    """The id of the client in a callback, as it is stored; empty without one."""
    return values.text(about.get("id"))[:MAX_ID] if isinstance(about, dict) else ""


def _client(about: Any, moment: datetime) -> Told | None:
    """The client in a callback, None if it has no id."""
    if not (id_ := client_id(about)):
        return None
    data = values.text(about.get("data"))[:MAX_DATA]
    return Told(id_, values.moment(about.get("createdAt")) or moment, data)


def _note(session_id: str, told: Told, name_of: NameOf) -> Connection | None:
    """Store what is said about a client. Returns a present one, if new or with new data."""
    for _ in range(2):
        # Other processes may store the start of the same meeting, and then the same client.
        with suppress(IntegrityError):
            return _write(session_id, told, name_of)
    return _write(session_id, told, name_of)


def _join(session_id: str, told: Told) -> Connection | None:
    """Add a client to the running meeting, in one statement; most clients come this way.

    None if no meeting runs, if it started after the client came, or if the client is known.
    """
    query = (
        "INSERT INTO meetings_connection (id, meeting_id, data, connected_at, reason) "  # noqa: S608
        "SELECT %s, id, %s, %s, '' FROM meetings_meeting "
        f"WHERE session_id = %s AND ended_at IS NULL AND started_at <= %s {row_lock()} "
        "ON CONFLICT DO NOTHING RETURNING meeting_id, "
        "(SELECT room_name FROM meetings_meeting WHERE id = meeting_id)"
    )
    came = told.connected_at
    if row := write(query, told.id, told.data, came, session_id, came):
        meeting_id, room = row
        connection = Connection(
            pk=told.id, meeting_id=meeting_id, data=told.data, connected_at=came
        )
        joined(connection, room)
        return connection
    return None


@transaction.atomic
def _write(session_id: str, told: Told, name_of: NameOf) -> Connection | None:
    if known := _locked(told.id):
        # A connection of another session is left alone.
        return _update(told, known) if known.session_id == session_id else None
    meeting = _meeting_of(session_id, told, name_of)
    connection = Connection.objects.create(
        pk=told.id,
        meeting=meeting,
        data=told.data,
        connected_at=told.connected_at,
        left_at=told.left_at,
        reason=told.reason,
    )
    if told.left_at:
        left(connection, meeting.room_name)
        _end_if_empty(meeting.pk)
        return None
    joined(connection, meeting.room_name)
    return connection


def _locked(connection_id: str) -> Any:
    """The client, if known, with the `session_id` and the `room_name` of their meeting.

    It locks the meeting, as all functions here do, and no connections, to avoid deadlocks.
    """
    query = (
        "SELECT client.*, session_id, room_name "  # noqa: S608
        "FROM meetings_connection client JOIN meetings_meeting meeting ON meeting.id = meeting_id "
        f"WHERE client.id = %s {row_lock('meeting')}"
    )
    return next(iter(Connection.objects.raw(query, [connection_id])), None)


def _update(told: Told, known: Any) -> Connection | None:
    was_there = known.left_at is None
    news: dict[str, Any] = {}
    still = ""
    if told.data and not known.data:
        news["data"] = told.data  # lists have no data, which tells people from bots
    if told.left_at and (was_there or known.reason == NOT_LISTED):
        news |= {"left_at": told.left_at, "reason": told.reason}
        # The row may have changed while this process waited for the lock.
        still = f"AND (left_at IS NULL OR reason = '{NOT_LISTED}')"
    if news:
        columns = ", ".join(f"{name} = %s" for name in news)
        query = (
            f"UPDATE meetings_connection SET {columns} WHERE id = %s {still} RETURNING meeting_id"  # noqa: S608
        )
        if row := write(query, *news.values(), told.id):
            if news.get("data") in NO_PERSON:
                _take_back(known)
            for name, new in news.items():
                setattr(known, name, new)
            if "left_at" in news:
                left(known, known.room_name)
            _end_if_empty(*row)
            return known if was_there and known.left_at is None else None
    return None


def _take_back(known: Any) -> None:
    """Report that a person left who turns out to be a rendered page or a bot."""
    as_person = copy(known)
    as_person.left_at = known.connected_at
    left(as_person, known.room_name)


def _meeting_of(session_id: str, told: Told, name_of: NameOf) -> Meeting:
    """The meeting of a new client, locked: one at that time, or a new one."""
    during = Q(ended_at=None) | Q(ended_at__gte=told.connected_at)
    if told.left_at:
        during &= Q(started_at__lte=told.left_at)
    # Not one whose attendance is deleted, since its count of people would begin anew.
    known = Q(ended_at=None) | Exists(Connection.objects.filter(meeting=OuterRef("pk")).order_by())
    found = Meeting.objects.select_for_update().filter(during, known, session_id=session_id)
    meeting = found.order_by(F("ended_at").desc(nulls_first=True)).first()
    if meeting is None:
        meeting = Meeting.objects.create(
            session_id=session_id,
            room_name=name_of(session_id),
            started_at=told.connected_at,
            limited_from=told.connected_at,
            ended_at=told.left_at,
        )
        meeting_started(meeting)
        return meeting
    started_at = min(meeting.started_at, told.connected_at)
    ended_at = meeting.ended_at if told.left_at else None  # somebody is there
    if (started_at, ended_at) != (meeting.started_at, meeting.ended_at):
        meeting.started_at, meeting.ended_at = started_at, ended_at
        meeting.save(update_fields=["started_at", "ended_at"])
    return meeting


def _end_if_empty(meeting_id: int) -> None:
    """End a meeting, which is locked, if all have left. Without any connection it is deleted."""
    if has_row(Connection, meeting_id=meeting_id, left_at=None):
        return
    meeting = Meeting.objects.filter(pk=meeting_id)
    connections = Connection.objects.filter(meeting=meeting_id).order_by()
    stays = list(connections.values_list("connected_at", "left_at", "data", "pk"))
    if not stays:
        meeting.delete()
        return
    times = [
        (came, left, person_in(data) or pk)
        for came, left, data, pk in stays
        if left and data not in NO_PERSON
    ]
    seconds = sum(max((left - came).total_seconds(), 0) for came, left, _ in times)
    meeting.update(
        started_at=min(came for came, *_ in stays),
        ended_at=max(left for _, left, *_ in stays if left),
        people=len({person for *_, person in times}),
        person_seconds=min(round(seconds), 2**31 - 1),
    )
    meeting_ended(meeting_id)


@transaction.atomic
def _return(connection_id: str, asked_at: datetime) -> None:
    """Bring a client back who was missing from a list before `asked_at`."""
    gone = Connection.objects.filter(pk=connection_id, reason=NOT_LISTED, left_at__lt=asked_at)
    locked = gone.select_for_update(of=["meeting"])
    if connection := locked.select_related("meeting").first():
        # The row may have changed while this process waited for the lock.
        if not gone.exists():
            return
        was_in = connection.meeting
        back = Told(connection.pk, connection.connected_at)
        meeting = _meeting_of(was_in.session_id, back, lambda _: was_in.room_name)
        gone.update(left_at=None, reason="", meeting=meeting)
        connection.meeting = meeting
        joined(connection, meeting.room_name)
        if meeting != was_in:  # another meeting has begun meanwhile
            _end_if_empty(was_in.pk)


def _note_stream(
    session_id: str, told: Remote, moment: datetime, name_of: NameOf
) -> Connection | None:
    about = told.get("stream")
    about = about if isinstance(about, dict) else {}
    stream_id = values.text(about.get("id"))[:MAX_ID]
    client = _client(about.get("connection"), moment)
    if not stream_id or not client:
        return None
    stream: dict[str, Any] = {
        "id": stream_id,
        "name": values.text(about.get("name"))[:MAX_NAME],
        "kind": values.text(about.get("videoType"))[:MAX_KIND],
        "started_at": values.moment(about.get("createdAt")) or moment,
    }
    if told["event"] == "streamDestroyed":
        stream |= {"ended_at": moment, "reason": values.text(told.get("reason"))[:MAX_REASON]}
    if _write_stream(session_id, client.id, stream):
        return None
    arrived = _note(session_id, client, name_of)
    _write_stream(session_id, client.id, stream)
    return arrived


def _write_stream(session_id: str, client_id: str, stream: dict[str, Any]) -> bool:
    """Store a stream if its client is known in this session. Returns whether it was stored."""
    columns = {"ended_at": None, "reason": ""} | stream
    # Its name as it was first told: every callback has it, and it may be forgotten since.
    news = ["connection_id", *(column for column in stream if column != "name")]
    told = ", ".join(f"{column} = excluded.{column}" for column in news)
    query = (
        f"INSERT INTO meetings_stream (connection_id, {', '.join(columns)}) "  # noqa: S608
        f"SELECT client.id{', %s' * len(columns)} FROM meetings_connection client "
        "JOIN meetings_meeting meeting ON meeting.id = meeting_id "
        "WHERE client.id = %s AND session_id = %s "
        f"ON CONFLICT (id) DO UPDATE SET {told} RETURNING connection_id"
    )
    return write(query, *columns.values(), client_id, session_id) is not None


@transaction.atomic
def empty(session_id: str, moment: datetime) -> None:
    """End the stay of all who came to a session before `moment`."""
    running = Meeting.objects.select_for_update().filter(session_id=session_id, ended_at=None)
    if meeting := running.first():
        there = meeting.connections.filter(left_at=None, connected_at__lte=moment)
        gone = list(there)
        there.update(left_at=moment, reason=NOT_LISTED)
        for connection in gone:
            connection.left_at, connection.reason = moment, NOT_LISTED
            left(connection, meeting.room_name)
        _end_if_empty(meeting.pk)
