"""What is held about one person: to be shown to them, and to be forgotten.

A person of a call is known by the name or the identity in their token's data, by the name of a
stream, or as a guest; a member of staff by the user name.
"""

import json
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from audit.models import Entry
from meetings.models import Connection, Stream, identity_of
from rooms.guests import Guest
from rooms.models import Ban
from webhooks.deliveries import Delivery

FORGOTTEN = "(forgotten)"


def held_about(person: str) -> dict[str, list[dict[str, Any]]]:
    """Rows by what they are, as they are stored."""
    account = ("username", "email", "first_name", "last_name", "date_joined", "last_login",
               "is_staff", "is_active")  # fmt: skip
    return {
        "account": list(User.objects.filter(username=person).values(*account)),
        "connections": list(_connections(person).values()),
        "streams": list(_streams(person).values()),
        "guests": list(_guests(person).values("room__name", "name", "asked_at", "is_admitted")),
        "bans": list(_bans(person).values("room__name", "identity", "name", "created_at")),
        "events": list(_events(person).values("event", "room_name", "payload", "created_at")),
        "acts": list((_acts(person) | _suffered(person)).values()),
    }


def export(person: str) -> dict[str, list[dict[str, Any]]]:
    """The same, to be handed out. The audit log has from how many rows of what, and not whose."""
    held = held_about(person)
    Entry.objects.record("person.exported", rows={what: len(rows) for what, rows in held.items()})
    return held


def forget(person: str) -> dict[str, int]:
    """Take a person of calls out of everything; returns from how many rows of what.

    That somebody was there, how long, and what was done, stays, and so do bans, without the name.
    Who is in a room now stays known until they leave. Accounts of staff are deleted in the admin.
    """
    with transaction.atomic():
        ids = list(_connections(person).values_list("pk", flat=True))
        there = Connection.objects.filter(pk__in=ids, left_at__isnull=False)
        forgotten = {
            "streams": _streams(person).update(name=""),
            "connections": there.update(data=""),
            "guests": _guests(person).delete()[0],
            "bans": _bans(person).update(name=""),
            "events": _events(person).delete()[0],
            "acts": _acts(person).filter(actor_kind="client").update(actor_name=FORGOTTEN)
            + _suffered(person).update(subject_name=FORGOTTEN),
        }
        Entry.objects.record("person.forgotten", rows=forgotten)
    return forgotten


def _connections(person: str) -> QuerySet[Connection]:
    # Found by what the data contain, and taken if it is their name, their identity, or all of them.
    in_data = Q(data__contains=person) | Q(data__contains=json.dumps(person)[1:-1])
    alike = Connection.objects.filter(in_data | Q(streams__name=person))
    found = [
        each.pk
        for each in alike.prefetch_related("streams").distinct().order_by()
        if person in {each.name, identity_of(each.data), each.data}
    ]
    return Connection.objects.filter(pk__in=found)


def _streams(person: str) -> QuerySet[Stream]:
    ids = list(_connections(person).values_list("pk", flat=True))
    return Stream.objects.filter(Q(name=person) | Q(connection__in=ids))


def _guests(person: str) -> QuerySet[Guest]:
    return Guest.objects.filter(name=person)


def _bans(person: str) -> QuerySet[Ban]:
    return Ban.objects.filter(Q(identity=person) | Q(name=person))


def _events(person: str) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        event__startswith="participant.", payload__contains=json.dumps(person)
    )


def _acts(person: str) -> QuerySet[Entry]:
    return _entries().filter(actor_name=person)


def _suffered(person: str) -> QuerySet[Entry]:
    """What was done to them as a guest, or by a ban, which are called by their name."""
    return _entries().filter(subject_kind__in=["ban", "guest"], subject_name=person)


def _entries() -> QuerySet[Entry]:
    return QuerySet(Entry)  # the audit log's own changes nothing
