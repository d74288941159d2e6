"""What is held about one person: to be shown to them, and to be forgotten.

A person of a call is known by the name or the identity in their token's data, by the name of a
stream, or as a guest; a member of staff by the user name. What has the id of one of their
connections or bans is about them as well, by whatever name.
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
# In place of the data of a token: what is empty would be filled by a callback that comes again.
NO_DATA = "{}"
READ_AT_ONCE = 2000
Ids = Sequence[Any]
# What is found, and which columns are handed out: all, if none are named.
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
    """The ids of the rows about a person. `other_names` are those that the rows also have: they may
    be other people's as well, and are not searched for.
    """

    account: list[int] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    guests: list[Any] = field(default_factory=list)
    bans: list[int] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    # What they did, and what was done to them: as a guest, or by a ban, which is called by a name.
    acted: list[int] = field(default_factory=list)
    suffered: list[int] = field(default_factory=list)
    other_names: set[str] = field(default_factory=set)

    @property
    def acts(self) -> list[int]:
        """The last one first."""
        return sorted({*self.acted, *self.suffered}, reverse=True)

    def counts(self) -> dict[str, int]:
        return {what: len(getattr(self, what)) for what in COLUMNS}

    def rows(self, what: str, most: int | None = None) -> list[dict[str, Any]]:
        """As they are stored."""
        model, columns = COLUMNS[what]
        return [
            row
            for part in parts(getattr(self, what)[:most])
            for row in QuerySet(model).filter(pk__in=part).values(*columns)
        ]


def find(person: str) -> Held:
    """Reads all that can be theirs, in no transaction. Spaces around a name do not count.

    Databases compare in ways of their own, and JSON can be written in several. So they look for
    candidates, and the parsed values decide.
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
    """The first rows by what they are. The audit log has how many there are of what, not whose."""
    Entry.objects.record("person.shown", rows=held.counts())
    return {what: held.rows(what, most) for what in COLUMNS}


def export(held: Held) -> dict[str, list[dict[str, Any]]]:
    """All of them, to be handed out; in the audit log as well."""
    Entry.objects.record("person.exported", rows=held.counts())
    return {what: held.rows(what) for what in COLUMNS}


def forget(held: Held) -> dict[str, int]:
    """Take a person of calls out of everything; returns from how many rows of what.

    That somebody was there, how long, and what was done, stays, and so do bans, without the name.
    Who is in a room now stays known until they leave. Accounts of staff are deleted in the admin.

    Not in one transaction, for which all others would wait. Whatever ends it half way, the audit
    log has what was done, and finding the person and forgetting them again does the rest.
    """
    forgotten = Counter({what: 0 for what in COLUMNS if what != "account"})
    # By their connections and bans other rows are found, which therefore go first.
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
    # Together: a connection may be found by its stream's name alone, and a stream by the
    # connection's data.
    left = Connection.objects.filter(pk__in=ids, left_at__isnull=False)
    streams = Stream.objects.filter(connection__in=left).exclude(name="")
    return {"streams": streams.update(name=""), "connections": left.update(data=NO_DATA)}


def _unname_streams(ids: Ids) -> dict[str, int]:
    left = Stream.objects.filter(pk__in=ids, connection__left_at__isnull=False)
    return {"streams": left.exclude(name="").update(name="")}


def _unname_bans(ids: Ids) -> dict[str, int]:
    return {"bans": Ban.objects.filter(pk__in=ids).exclude(name="").update(name="")}


def _find_connections(held: Held, person: str) -> None:
    """And their streams. What a connection is called, its data or, without a name there, a stream
    of its says.
    """
    # A backslash may write any character in JSON, in more than one way.
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
    """By the name that they tell, or the connection."""
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
    """The identity of data without one is all of the data, which is nobody's name."""
    return name.strip() not in ("", person, FORGOTTEN) and not name.lstrip().startswith("{")


def _is(person: str, *names: str) -> bool:
    return any(name.strip() == person for name in names)


def _each(rows: QuerySet[Any], *columns: str) -> Iterator[tuple[Any, ...]]:
    """With their ids, and by them. In pages: behind PgBouncer there is no cursor that would keep
    psycopg2 from loading all rows at once.
    """
    rows = rows.order_by("pk").values_list("pk", *columns)
    page = list(rows[:READ_AT_ONCE])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1][0])[:READ_AT_ONCE])


def _entries() -> QuerySet[Entry]:
    return QuerySet(Entry)  # the audit log's own changes nothing
