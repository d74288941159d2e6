"""The people in a room, by name, and what staff do with one of them, for the room's page."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from archives.models import Archive
from live.models import Activity
from meetings.models import Connection, Mute, Stream, identity_of
from meetings.mutes import ALL
from meetings.presence import NO_PERSON
from rooms import moderating
from rooms.guests import Guest
from rooms.models import Ban, Room
from rooms.presence import look
from video import streams, values
from video.answers import Remote
from video.archives import RUNNING
from web.rows import ROW_ID

# What staff do with people, and the permission for it.
DEEDS = {
    "mute": "rooms.change_room",
    "remove": "rooms.change_room",
    "signal": "rooms.change_room",
    "admit": "rooms.change_guest",
    "refuse": "rooms.change_guest",
    "ban": "rooms.add_ban",
    "ban-for-now": "rooms.add_ban",
    "lift": "rooms.delete_ban",
}
Muted = dict[str, Any]
Published = dict[str, list[dict[str, Any]]]
MAX_BANS_SHOWN = 100
# Characters of a message, which take several bytes each; OpenTok's limit is 8 kB.
MAX_MESSAGE = 1000
FROM = "The host"


def people_now(room: Room) -> dict[str, Any]:
    """The present state at OpenTok: `people` with their `streams`, other `streams` whose publisher
    no callback has reported, what is `running`, waiting `guests`, and the newest `bans`. Muted
    streams have by whom and when; so has `joining`, if new streams are muted. Of what is no person,
    `bot` says what it is.
    """
    listed = look(room.session_id, room_name=room.name)
    published = _by_connection(room.session_id, streams.list_streams(room.session_id))
    known = Connection.objects.prefetch_related("streams").in_bulk(
        [remote["connectionId"] for remote in listed]
    )
    waiting = Guest.objects.waiting(room)
    bans = list(Ban.objects.current(room)[: MAX_BANS_SHOWN + 1])
    return {
        "people": [_person(remote, known, published) for remote in listed],
        "streams": [stream for left in published.values() for stream in left],
        "joining": _muted(Mute.objects.of_all(room.session_id)),
        "running": [kind.replace("_", " ") for kind in running_kinds(room)],
        "guests": [{"id": str(guest.pk), "name": guest.name} for guest in waiting],
        "bans": [
            {"id": str(ban.pk), "name": str(ban), "ends": ban.meeting_id is not None}
            for ban in bans[:MAX_BANS_SHOWN]
        ],
        "has_more_bans": len(bans) > MAX_BANS_SHOWN,
    }


def running_kinds(room: Room) -> list[str]:
    """Kinds such as `recording` and `broadcast`, once for each that runs."""
    activities = Activity.objects.running(room.session_id).values_list("kind", flat=True)
    return ["recording"] * running_recordings(room).count() + list(activities)


def running_recordings(room: Room) -> QuerySet[Archive]:
    return Archive.objects.filter(session_id=room.session_id, status__in=RUNNING)


def _person(remote: Remote, known: dict[str, Connection], published: Published) -> dict[str, Any]:
    connection_id = remote["connectionId"]
    connection = known.get(connection_id)
    data = connection.data if connection else ""
    bot = NO_PERSON.get(data, "")
    return {
        "id": connection_id,
        "name": connection.name if connection else "",
        "bot": bot,
        "bannable": not bot and identity_of(data) != "",
        "since": remote.get("createdAt"),
        "streams": published.pop(connection_id, []),
    }


def _by_connection(session_id: str, listed: list[Remote]) -> Published:
    """Streams by connection, which only callbacks tell; the others are under an empty id."""
    ids = [remote["id"] for remote in listed]
    known = Stream.objects.in_bulk(ids)
    mutes = list(Mute.objects.filter(session_id=session_id, stream_id__in=[*ids, ALL]))
    published = defaultdict(list)
    for remote in listed:
        stream = known.get(remote["id"])
        published[stream.connection_id if stream else ""].append(
            {
                "id": remote["id"],
                "name": remote.get("name") or "",
                "kind": remote.get("videoType") or "microphone",
                "muted": _last_muted(mutes, remote["id"], stream),
            }
        )
    return published


def _last_muted(mutes: list[Mute], stream_id: str, stream: Stream | None) -> Muted | None:
    moments = [(mute.moment_for(stream_id, stream), mute) for mute in mutes]
    known = [(moment, mute.pk, mute) for moment, mute in moments if moment]
    if not known:
        return None
    moment, _, mute = max(known)
    return _muted(mute, at=moment)


def _muted(mute: Mute | None, *, at: datetime | None = None) -> Muted | None:
    """By whom, and when."""
    return {"by": mute.muted_by, "at": values.milliseconds(at or mute.muted_at)} if mute else None


def moderate(room: Room, what: str, which: str, *, text: str = "") -> str:
    """Do one of DEEDS, and return a sentence about it. Http404 for invalid input.

    Errors: those of rooms.moderating, of Guest.objects.decide and of Ban.objects.add_connected.
    """
    if what == "remove":
        moderating.remove(room, which)
        return "Removed somebody from the room."
    if what == "mute":
        moderating.mute(room, which)
        return "Muted somebody in the room."
    if what == "signal" and text.strip():
        # As the chat of the join page sends it: static/join/chat.js.
        message = {"name": FROM, "text": text.strip()[:MAX_MESSAGE]}
        moderating.signal(room, type="chat", data=json.dumps(message))
        return "Sent a message to all."
    if what in {"ban", "ban-for-now"}:
        ban = Ban.objects.add_connected(room, which, until_meeting_ends=what == "ban-for-now")
        return f"Banned {ban}{' until the meeting ends' if ban.meeting else ''}."
    if what == "lift" and ROW_ID.fullmatch(which):
        Ban.objects.lift(room, int(which))
        return "Lifted a ban."
    if what in {"admit", "refuse"}:
        guest = Guest.objects.decide(room, which, admit=what == "admit")
        return f"Let {guest} in." if what == "admit" else f"Turned {guest} away."
    raise Http404
