"""Keeps meetings in line with what OpenTok tells: late, twice, and in any order."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from meetings.models import (
    MAX_DATA,
    MAX_ID,
    MAX_KIND,
    MAX_NAME,
    MAX_REASON,
    Connection,
    Meeting,
    Stream,
)
from meetings.presence import NO_PERSON, present
from video import values
from video.answers import Remote
from web.rows import has_row

# Why a client left whose going was found out and not told.
NOT_LISTED = "notListed"

# The name of a session's room, asked for once in each meeting.
NameOf = Callable[[str], str]


@dataclass(frozen=True)
class Told:
    """What a callback tells of a client, or a list of OpenTok's."""

    id: str
    connected_at: datetime
    data: str = ""
    left_at: datetime | None = None
    reason: str = ""


def apply_callback(told: Remote, *, name_of: NameOf) -> Connection | None:
    """Write down what a callback about a session tells.

    Returns the client who has connected, if it tells of one who was not known.
    """
    session_id = values.text(told.get("sessionId"))
    moment = values.moment(told.get("timestamp")) or timezone.now()
    match told["event"]:
        case "connectionCreated":
            if client := _client(told.get("connection"), moment):
                return _note(session_id, client, name_of)
        case "connectionDestroyed":
            if client := _client(told.get("connection"), moment):
                reason = values.text(told.get("reason"))[:MAX_REASON]
                left = Told(client.id, client.connected_at, client.data, moment, reason)
                _note(session_id, left, name_of)
        case "streamCreated" | "streamDestroyed":
            _note_stream(session_id, told, moment, name_of)
        case "sessionDestroyed":
            _empty(session_id, moment)
    return None


def reconcile(
    session_id: str, listed: Iterable[Remote], *, asked_at: datetime, name_of: NameOf
) -> None:
    """Bring what is stored into line with OpenTok's list of a session's connections, which was
    asked for at `asked_at`.
    """
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


def _client(about: Any, moment: datetime) -> Told | None:
    """The client in a callback, None if it has no id."""
    if not isinstance(about, dict) or not (client_id := values.text(about.get("id"))[:MAX_ID]):
        return None
    data = values.text(about.get("data"))[:MAX_DATA]
    return Told(client_id, values.moment(about.get("createdAt")) or moment, data)


def _note(session_id: str, told: Told, name_of: NameOf) -> Connection | None:
    """Store what is told of a client. Returns one who was not known, and is there now."""
    try:
        return _write(session_id, told, name_of)
    except IntegrityError:
        # Another process has stored the same client, or the start of the same meeting.
        return _write(session_id, told, name_of)


@transaction.atomic
def _write(session_id: str, told: Told, name_of: NameOf) -> Connection | None:
    if has_row(Connection, id=told.id):
        _update(session_id, told)
        return None
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
        _end_if_empty(meeting)
        return None
    return connection


def _update(session_id: str, told: Told) -> None:
    """Of a client who is known; of one in another session nothing is true.

    The meeting is locked, as everywhere here. Two who lock connections as well could wait for each
    other.
    """
    locked = Connection.objects.select_for_update(of=["meeting"])
    known = locked.select_related("meeting").filter(pk=told.id).first()
    if known is None or known.meeting.session_id != session_id:
        return
    news: dict[str, Any] = {}
    if told.data and not known.data:
        news["data"] = told.data  # lists have none, and it says who counts as a person
    if told.left_at and (known.left_at is None or known.reason == NOT_LISTED):
        news |= {"left_at": told.left_at, "reason": told.reason}
    if news:
        Connection.objects.filter(pk=known.pk).update(**news)
        _end_if_empty(known.meeting)


def _meeting_of(session_id: str, told: Told, name_of: NameOf) -> Meeting:
    """The meeting that a new client belongs to, locked: one of those times, or a new one."""
    during = Q(ended_at=None) | Q(ended_at__gte=told.connected_at)
    if told.left_at:
        during &= Q(started_at__lte=told.left_at)
    found = Meeting.objects.select_for_update().filter(during, session_id=session_id)
    meeting = found.order_by(F("ended_at").desc(nulls_first=True)).first()
    if meeting is None:
        return Meeting.objects.create(
            session_id=session_id,
            room_name=name_of(session_id),
            started_at=told.connected_at,
            ended_at=told.left_at,
        )
    started_at = min(meeting.started_at, told.connected_at)
    ended_at = meeting.ended_at if told.left_at else None  # somebody is there
    if (started_at, ended_at) != (meeting.started_at, meeting.ended_at):
        meeting.started_at, meeting.ended_at = started_at, ended_at
        meeting.save(update_fields=["started_at", "ended_at"])
    return meeting


def _end_if_empty(meeting: Meeting) -> None:
    """End a meeting, which is locked, if the last one has left; one that nobody was in is none."""
    if has_row(Connection, meeting_id=meeting.pk, left_at=None):
        return
    stays = list(meeting.connections.order_by().values_list("connected_at", "left_at", "data"))
    if not stays:
        meeting.delete()
        return
    meeting.started_at = min(came for came, _, _ in stays)
    meeting.ended_at = max(left for _, left, _ in stays if left)
    times = [(came, left) for came, left, data in stays if left and data not in NO_PERSON]
    seconds = sum(max((left - came).total_seconds(), 0) for came, left in times)
    meeting.people, meeting.person_seconds = len(times), min(round(seconds), 2**31 - 1)
    meeting.save(update_fields=["started_at", "ended_at", "people", "person_seconds"])


@transaction.atomic
def _return(connection_id: str, asked_at: datetime) -> None:
    """Of a client who was missing from an earlier list than the one of `asked_at`."""
    gone = Connection.objects.filter(pk=connection_id, reason=NOT_LISTED, left_at__lt=asked_at)
    locked = gone.select_for_update(of=["meeting"])
    if connection := locked.select_related("meeting").first():
        was_in = connection.meeting
        back = Told(connection.pk, connection.connected_at)
        meeting = _meeting_of(was_in.session_id, back, lambda _: was_in.room_name)
        gone.update(left_at=None, reason="", meeting=meeting)
        if meeting != was_in:  # others have begun another one meanwhile
            _end_if_empty(was_in)


def _note_stream(session_id: str, told: Remote, moment: datetime, name_of: NameOf) -> None:
    about = told.get("stream")
    about = about if isinstance(about, dict) else {}
    stream_id = values.text(about.get("id"))[:MAX_ID]
    client = _client(about.get("connection"), moment)
    if not stream_id or not client:
        return
    known = Connection.objects.filter(pk=client.id).order_by()
    known_in = known.values_list("meeting__session_id", flat=True).first()
    if known_in is None:
        _note(session_id, client, name_of)
    elif known_in != session_id:
        return
    columns: dict[str, Any] = {
        "connection_id": client.id,
        "name": values.text(about.get("name"))[:MAX_NAME],
        "kind": values.text(about.get("videoType"))[:MAX_KIND],
        "started_at": values.moment(about.get("createdAt")) or moment,
    }
    if told["event"] == "streamDestroyed":
        columns |= {"ended_at": moment, "reason": values.text(told.get("reason"))[:MAX_REASON]}
    # One statement: Django's update_or_create takes three, and a savepoint.
    Stream.objects.bulk_create(
        [Stream(pk=stream_id, **columns)],
        update_conflicts=True,
        unique_fields=["pk"],
        update_fields=list(columns),
    )


@transaction.atomic
def _empty(session_id: str, moment: datetime) -> None:
    """Nobody is in the session any more."""
    running = Meeting.objects.select_for_update().filter(session_id=session_id, ended_at=None)
    if meeting := running.first():
        there = meeting.connections.filter(left_at=None, connected_at__lte=moment)
        there.update(left_at=moment, reason=NOT_LISTED)
        _end_if_empty(meeting)
