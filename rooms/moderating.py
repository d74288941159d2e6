"""What a moderator does to people in a room's present session: done at OpenTok, and recorded."""

from typing import Any

from audit.models import Entry
from rooms.guests import Guest
from rooms.models import Room
from video import moderation, signals, streams


def remove(room: Room, connection_id: str) -> None:
    """Disconnect somebody, whose ticket as a guest ends. Error: connection_not_found."""
    moderation.disconnect(room.session_id, connection_id)
    Entry.objects.note("person.removed", room, connection=connection_id)
    Guest.objects.end_removed(room, connection_id)


def mute(room: Room, stream_id: str) -> None:
    """Error: stream_not_found."""
    moderation.mute_stream(room.session_id, stream_id)
    Entry.objects.note("person.muted", room, stream=stream_id)


def mute_all(room: Room, **spared: Any) -> None:
    """Error: nobody_connected."""
    moderation.mute_all(room.session_id, **spared)
    Entry.objects.note("everybody.muted", room)


def unmute_all(room: Room) -> None:
    """Error: nobody_connected."""
    moderation.unmute_all(room.session_id)
    Entry.objects.note("everybody.unmuted", room)


def signal(room: Room, **message: Any) -> None:
    """Its text is for those in the room. Errors: video.signals.send_signal."""
    signals.send_signal(room.session_id, **message)
    to = message.get("connection_id")
    Entry.objects.note("signal.sent", room, connection=to, type=message.get("type"))


def lay_out(room: Room, **classes: Any) -> None:
    """Errors: video.streams.set_layout_classes."""
    streams.set_layout_classes(room.session_id, **classes)
    Entry.objects.note("streams.laid_out", room)
