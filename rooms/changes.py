"""Records changes of a room, with its columns before and after; of a code, whether there is one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models

from audit.models import Entry
from webhooks import events

if TYPE_CHECKING:
    from rooms.policy import Policy

SECRET = {"access_code"}


def columns(room: Policy, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(room, name) for name in names}


def shown(held: dict[str, Any]) -> dict[str, Any]:
    return {name: _shown(name, value) for name, value in held.items()}


def _shown(name: str, value: Any) -> Any:
    if name in SECRET:
        return bool(value)
    return str(value) if isinstance(value, models.Model) else value


def record_changes(room: Policy, before: dict[str, Any]) -> None:
    """Record the change of a room that was just saved, and had the columns `before`."""
    old = {name: value for name, value in before.items() if value != getattr(room, name)}
    if not old:
        return
    what = "room.changed"
    if old.keys() == {"closed"}:
        what = "room.closed" if room.closed else "room.opened"
    new = shown(columns(room, old))
    Entry.objects.record(what, room, before=shown(old), after=new)
    events.record(what, room=str(room), **({} if old.keys() == {"closed"} else new))
