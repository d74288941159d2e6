"""Records changes of a room, with its columns before and after; of a code, whether there is one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models

from audit.models import Entry
from rooms.hours import column_as_json
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


def for_event(held: dict[str, Any]) -> dict[str, Any]:
    """What an event tells of these columns: as the API has them, of a code that there is one."""
    told = shown(held)
    if "token_role" in told:
        told["token_role"] = told["token_role"] or None
    if "weekly_hours" in told:
        told["weekly_hours"] = column_as_json(told["weekly_hours"])
    return {_in_the_api(name): value for name, value in told.items()}


def _in_the_api(name: str) -> str:
    first, *others = name.split("_")
    return "hasAccessCode" if name in SECRET else first + "".join(map(str.capitalize, others))


def record_changes(room: Policy, before: dict[str, Any]) -> None:
    """Record the change of a room that was just saved, and had the columns `before`."""
    old = {name: value for name, value in before.items() if value != getattr(room, name)}
    if not old:
        return
    what = "room.changed"
    if old.keys() == {"closed"}:
        what = "room.closed" if room.closed else "room.opened"
    new = columns(room, old)
    Entry.objects.record(what, room, before=shown(old), after=shown(new))
    events.record(what, room=str(room), **({} if old.keys() == {"closed"} else for_event(new)))
