"""What is held about a person, to be shown, exported and forgotten.

People in calls are found by the name or the identity in their connection data, the name of a
stream, or as guests; staff by their user name. Rows with the id of one of their connections or bans
are found as well, under any name.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q, QuerySet

from audit.models import Entry
from meetings.models import Connection, Stream, identity_of, name_in
from rooms.guests import Guest
from rooms.models import Ban
from video import values
from web.rows import change_in_parts, parts
from webhooks.deliveries import Delivery

FORGOTTEN = "(forgotten)"
# Replaces connection data, because a repeated callback would fill empty data again.
NO_DATA = "{}"
READ_AT_ONCE = 2000
Ids = Sequence[Any]
# The models, and the exported columns: all, if none are named.
COLUMNS: dict[str, tuple[type[models.Model], tuple[str, ...]]] = {
    "account": (User, ("username", "email", "first_name", "last_name", "date_joined", "last_login",
                       "is_staff", "is_active")),
    "connections": (Connection, ()),
    "streams": (Stream, ()),
    "guests": (Guest, ("room__name", "name", "asked_at", "is_admitted")),
    "bans": (Ban, ("room__name", "identity", "name", "created_at")),
    "events": (Delivery, ("event", "room_name", "payload", "created_at")),
    "acts": (Entry, ()),
}  # fmt: skip


@dataclass
class Held:
    """The ids of the rows about a person. `other_names` also occur in them. They may be other
    people's as well, and are not searched for.
    """

    account: list[int] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    guests: list[Any] = field(default_factory=list)
    bans: list[int] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    # Entries by them, and entries about them as guests or in bans.
    acted: list[int] = field(default_factory=list)
    suffered: list[int] = field(default_factory=list)
    other_names: set[str] = field(default_factory=set)

    @property
    def acts(self) -> list[int]:
        """The latest one first."""
        return sorted({*self.acted, *self.suffered}, reverse=True)

    def counts(self) -> dict[str, int]:
        return {what: len(getattr(self, what)) for what in COLUMNS}

    def rows(self, what: str, most: int | None = None) -> list[dict[str, Any]]:
        """The stored rows."""
        model, columns = COLUMNS[what]
        return [
            row
            for part in parts(getattr(self, what)[:most])
            for row in QuerySet(model).filter(pk__in=part).values(*columns)
        ]


def find(person: str) -> Held:
    """Find all rows, without a transaction. Spaces around a name are ignored.

    Databases compare text differently, and JSON can escape it. So queries find candidates, and the
    parsed values decide.
    """
    person = person.strip()
    if not person:
        raise ValueError("A person has a name.")
    held = Held()
    held.account = list(User.objects.filter(username=person).values_list("pk", flat=True))
    _find_connections(held, person)
    guests = _each(Guest.objects.filter(name__contains=person), "name")
    held.guests = [pk for pk, name in guests if _is(person, name)]
    _find_bans(held, person)
    _find_events(held, person)
    _find_entries(held, person)
    held.other_names = {name for name in held.other_names if _may_be_searched(name, person)}
    return held


def show(held: Held, most: int) -> dict[str, list[dict[str, Any]]]:
    """The first rows by kind. The audit log has their number, but not the person."""
    Entry.objects.record("person.shown", rows=held.counts())
    return {what: held.rows(what, most) for what in COLUMNS}


def export(held: Held) -> dict[str, list[dict[str, Any]]]:
    """All rows by kind, for the person. The audit log has their number."""
    Entry.objects.record("person.exported", rows=held.counts())
    return {what: held.rows(what) for what in COLUMNS}


def forget(held: Held) -> dict[str, int]:
    """Remove a person of calls from all rows. Returns the number of rows by kind.

    Attendance, acts and bans stay without the name. People who are in a room stay known until they
    leave. Accounts of staff are deleted in the admin.

    Not in one transaction, for which all writers would wait. If it is interrupted, the audit log
    has what was done, and a second run does the rest.
    """
    forgotten = Counter({what: 0 for what in COLUMNS if what != "account"})
    # Rows that are found by connections and bans come first.
    changes: list[tuple[Ids, Callable[[Ids], dict[str, int]]]] = [
        (held.events, _delete_events),
        (held.acted, _unname_actors),
        (held.suffered, _unname_subjects),
        (held.guests, _delete_guests),
        (held.connections, _empty_connections),
        (held.streams, _unname_streams),
        (held.bans, _unname_bans),
    ]
    try:
        for ids, change in changes:
            for counts in change_in_parts(ids, change):
                forgotten.update(counts)
    except BaseException:
        Entry.objects.note("person.forgotten", rows=forgotten, is_complete=False)
        raise
    Entry.objects.record("person.forgotten", rows=forgotten)
    return dict(forgotten)


def _delete_events(ids: Ids) -> dict[str, int]:
    return {"events": Delivery.objects.filter(pk__in=ids).delete()[0]}


def _unname_actors(ids: Ids) -> dict[str, int]:
    by_clients = _entries().filter(pk__in=ids, actor_kind="client")
    return {"acts": by_clients.exclude(actor_name=FORGOTTEN).update(actor_name=FORGOTTEN)}


def _unname_subjects(ids: Ids) -> dict[str, int]:
    named = _entries().filter(pk__in=ids).exclude(subject_name=FORGOTTEN)
    return {"acts": named.update(subject_name=FORGOTTEN)}


def _delete_guests(ids: Ids) -> dict[str, int]:
    return {"guests": Guest.objects.filter(pk__in=ids).delete()[0]}


def _empty_connections(ids: Ids) -> dict[str, int]:
    # Together, because each of the two may only be found by the other one's name.
    left = Connection.objects.filter(pk__in=ids, left_at__isnull=False)
    streams = Stream.objects.filter(connection__in=left).exclude(name="")
    return {"streams": streams.update(name=""), "connections": left.update(data=NO_DATA)}


def _unname_streams(ids: Ids) -> dict[str, int]:
    left = Stream.objects.filter(pk__in=ids, connection__left_at__isnull=False)
    return {"streams": left.exclude(name="").update(name="")}


def _unname_bans(ids: Ids) -> dict[str, int]:
    return {"bans": Ban.objects.filter(pk__in=ids).exclude(name="").update(name="")}


def _find_connections(held: Held, person: str) -> None:
    """Find connections and their streams. A connection's name is in its data, or else that of one
    of its streams.
    """
    # With backslashes JSON can escape any character in several ways.
    alike = Connection.objects.filter(Q(data__contains=person) | Q(data__contains="\\"))
    candidates = _each(alike, "data", "connected_at")
    found = {pk: at for pk, data, at in candidates if _is(person, *_names_in(data), data)}
    streams = _each(Stream.objects.filter(name__contains=person), "name", "connection")
    by_stream = {pk: connection for pk, name, connection in streams if _is(person, name)}
    for part in parts(list(set(by_stream.values()).difference(found))):
        unnamed = Connection.objects.filter(pk__in=part).prefetch_related("streams")
        found |= {each.pk: each.connected_at for each in unnamed if _is(person, each.name)}
    held.connections, held.streams = sorted(found, key=found.__getitem__), list(by_stream)
    for part in parts(held.connections):
        for data in Connection.objects.filter(pk__in=part).values_list("data", flat=True):
            held.other_names.update(_names_in(data))
        for pk, name in Stream.objects.filter(connection__in=part).values_list("pk", "name"):
            held.streams.append(pk)
            held.other_names.add(name)
    held.streams = list(dict.fromkeys(held.streams))


def _find_bans(held: Held, person: str) -> None:
    alike = Ban.objects.filter(Q(identity__contains=person) | Q(name__contains=person))
    for pk, identity, name in _each(alike, "identity", "name"):
        if _is(person, identity, name):
            held.bans.append(pk)
            held.other_names.update((identity, name))


def _find_events(held: Held, person: str) -> None:
    """Find events by their name or their connection."""
    alike = Delivery.objects.filter(event__startswith="participant.")
    if not held.connections:
        alike = alike.filter(payload__contains=json.dumps(person)[1:-1])
    connections = set(held.connections)
    for pk, payload in _each(alike, "payload"):
        told = values.json_object(payload).get("data")
        told = told if isinstance(told, dict) else {}
        name = values.text(told.get("name"))
        if _is(person, name) or values.text(told.get("connection")) in connections:
            held.events.append(pk)
            held.other_names.add(name)
    held.events.sort(reverse=True)


def _find_entries(held: Held, person: str) -> None:
    named = Q(subject_kind__in=("ban", "guest"), subject_name__contains=person)
    alike = _entries().filter(Q(actor_name__contains=person) | named)
    for pk, actor, kind, subject in _each(alike, "actor_name", "subject_kind", "subject_name"):
        if _is(person, actor):
            held.acted.append(pk)
        if kind in ("ban", "guest") and _is(person, subject):
            held.suffered.append(pk)
    for part in parts([str(pk) for pk in held.bans]):
        of_bans = _entries().filter(subject_kind="ban", subject_id__in=part)
        for pk, subject in of_bans.values_list("pk", "subject_name"):
            held.suffered.append(pk)
            held.other_names.add(subject)
    held.suffered = list(dict.fromkeys(held.suffered))


def _names_in(data: str) -> set[str]:
    return {name_in(data), identity_of(data).strip()}


def _may_be_searched(name: str, person: str) -> bool:
    """Not data without an identity, all of which counts as the identity."""
    return name.strip() not in ("", person, FORGOTTEN) and not name.lstrip().startswith("{")


def _is(person: str, *names: str) -> bool:
    return any(name.strip() == person for name in names)


def _each(rows: QuerySet[Any], *columns: str) -> Iterator[tuple[Any, ...]]:
    """The ids and columns of rows, ordered by id and read in pages: behind PgBouncer there are no
    server-side cursors, without which psycopg2 loads all rows at once.
    """
    rows = rows.order_by("pk").values_list("pk", *columns)
    page = list(rows[:READ_AT_ONCE])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1][0])[:READ_AT_ONCE])


def _entries() -> QuerySet[Entry]:
    return QuerySet(Entry)  # the model's own queryset forbids changes
