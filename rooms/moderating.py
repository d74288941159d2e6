"""Moderation of people in a room's present session: done at OpenTok, and recorded."""

from collections.abc import Iterable
from typing import Any

from access.notes import best_effort
from audit.models import Entry
from meetings.models import Mute
from meetings.mutes import ALL
from rooms.guests import Guest
from rooms.models import Room
from video import moderation, signals, streams
from video.errors import VideoError
from web.rows import has_row


def remove(room: Room, connection_id: str) -> None:
    """Disconnect a person, and end the ticket of a guest. Error: connection_not_found."""
    moderation.disconnect(room.session_id, connection_id)
    Entry.objects.note("person.removed", room, connection=connection_id)
    Guest.objects.end_removed(room, connection_id)


def mute(room: Room, stream_id: str) -> None:
    """Error: stream_not_found."""
    moderation.mute_stream(room.session_id, stream_id)
    with best_effort("note who was muted"):
        Mute.objects.note(room.session_id, stream_id.lower())
    Entry.objects.note("person.muted", room, stream=stream_id)


def mute_all(room: Room, *, except_streams: Iterable[str] = ()) -> None:
    """Mute all streams, and later ones until `unmute_all`. Error: nobody_connected."""
    spared = [stream_id.lower() for stream_id in except_streams]
    moderation.mute_all(room.session_id, except_streams=spared)
    with best_effort("note who was muted"):
        Mute.objects.note(room.session_id, spared=spared)
    Entry.objects.note("everybody.muted", room)


def mute_present(room: Room) -> None:
    """Mute all present streams, and leave it unchanged whether later ones are muted.

    Error: nobody_connected.
    """
    mutes_joining = Mute.objects.of_all(room.session_id)
    mute_all(room)
    if mutes_joining is None:
        unmute_all(room)


def unmute_all(room: Room) -> None:
    """End a mute of later streams. If nobody is connected, OpenTok is told once somebody is, by
    `end_due_mute`. Error: nobody_connected, if this server has not muted all.
    """
    try:
        moderation.unmute_all(room.session_id)
    except VideoError as error:
        is_empty = error.code == "nobody_connected"
        if not (is_empty and Mute.objects.note_end(room.session_id, is_due=True)):
            raise
    else:
        with best_effort("note that new streams are not muted"):
            Mute.objects.note_end(room.session_id)
    Entry.objects.note("everybody.unmuted", room)


def end_due_mute(room: Room) -> None:
    """Tell OpenTok of the end of a mute that ended while nobody was connected, if there is one."""
    if has_row(Mute, session_id=room.session_id, stream_id=ALL, end_is_due=True):
        moderation.unmute_all(room.session_id)
        Mute.objects.note_end_told(room.session_id)


def signal(room: Room, **message: Any) -> None:
    """The text is not recorded. Errors: those of video.signals.send_signal."""
    signals.send_signal(room.session_id, **message)
    to = message.get("connection_id")
    Entry.objects.note("signal.sent", room, connection=to, type=message.get("type"))


def lay_out(room: Room, **classes: Any) -> None:
    """Errors: those of video.streams.set_layout_classes."""
    streams.set_layout_classes(room.session_id, **classes)
    Entry.objects.note("streams.laid_out", room)
