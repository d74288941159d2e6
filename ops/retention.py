"""Retention rules: one table for the worker, which deletes, and for the admin (ops/deletions.py).

docs/operations.md has the same table. Models without a rule are in KEPT, with a reason.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from access.guess_windows import GuessWindow
from api.models import KEPT_FOR as ANSWERS_KEPT
from api.models import IdempotentRequest
from archives.models import Archive
from archives.retention import delete_due, due
from archives.states import DAY, KEPT_BY_OPENTOK, Status
from audit.models import Entry
from live.models import Activity
from meetings.attendance import forget_attendance
from meetings.models import Connection, Meeting, Mute
from meetings.mutes import ALL
from meetings.mutes import KEPT_FOR as MUTES_KEPT
from ops.jobs import FAILED_KEPT_DAYS, KEPT_DAYS
from rooms.guests import KEPT_FOR as GUESTS_KEPT
from rooms.guests import Guest
from rooms.models import Ban
from web.rows import delete_in_parts
from webhooks.deliveries import Delivery

logger = logging.getLogger(__name__)

# Rows of these models stay until they, or what they belong to, are deleted.
KEPT = {
    "rooms.Room": "they are the product",
    "rooms.PastSession": "with its room; recordings are found by it",
    "rooms.DeletedSession": "two short texts for a deleted room, whose recordings are named by it",
    "rooms.ClosedName": "until staff open the name",
    "rooms.Conference": "with its room",
    "meetings.Stream": "with its connection",
    "webhooks.Endpoint": "until somebody deletes it",
    "ops.Heartbeat": "one row",
    "access.ApiKey": "it tells whose acts the audit log has",
    "staff.TimeZone": "with its user",
    "staff.NamePrefix": "with its user",
    "staff.SecondFactor": "with its user",
    "staff.RecoveryCode": "with its second factor",
}


# Returns the present rows that are old at a moment.
Old = Callable[[datetime], QuerySet[Any]]


class Rule(NamedTuple):
    """`forget` deletes old rows; by default they are deleted in batches. `size` is a column with
    the bytes that are freed.
    """

    what: str
    model: type[Model]
    old: Old
    forget: Callable[[], object] | None = None
    size: str = ""


def days(number: int) -> timedelta:
    return timedelta(days=number)


def history(what: str, model: Any, over: Q, moment: str) -> Rule:
    return Rule(what, model, lambda at: past(model, over, moment, at))


def past(model: Any, over: Q, moment: str, at: datetime) -> QuerySet[Any]:
    """Rows that are over, and older than HISTORY_DAYS."""
    if not settings.HISTORY_DAYS:
        return model.objects.none()  # type: ignore[no-any-return]
    is_old = {f"{moment}__lt": at - days(settings.HISTORY_DAYS)}
    return model.objects.filter(over, **is_old)  # type: ignore[no-any-return]


def recordings(at: datetime) -> QuerySet[Any]:
    """Recordings whose file is gone, also if no callback has reported its deletion."""
    over = Q(stored_at=None, created_at__lt=at - KEPT_BY_OPENTOK - DAY)
    is_gone = Q(status__in=[Status.DELETED, Status.FAILED]) | over & ~Q(status=Status.UPLOADED)
    return past(Archive, is_gone & Q(held_at=None), "created_at", at)


def of_audit(what: str, model: Any, moment: str) -> Rule:
    def old(at: datetime) -> QuerySet[Any]:
        rows: QuerySet[Any] = QuerySet(model)  # the model's own queryset forbids deletions
        is_old = {f"{moment}__lt": at - days(settings.AUDIT_DAYS)}
        return rows.filter(**is_old) if settings.AUDIT_DAYS else rows.none()

    return Rule(what, model, old)


def jobs(at: datetime) -> QuerySet[Any]:
    done = Q(status="SUCCESSFUL", finished_at__lt=at - days(KEPT_DAYS))
    return DBTaskResult.objects.filter(
        done | Q(status="FAILED", finished_at__lt=at - days(FAILED_KEPT_DAYS))
    )


def events(at: datetime) -> QuerySet[Any]:
    """Events about people are kept no longer than attendance."""
    old = Q(created_at__lt=at - days(settings.WEBHOOK_DAYS))
    of_people = Q(event__startswith="participant.")
    return Delivery.objects.filter(
        old | of_people & Q(created_at__lt=at - days(settings.ATTENDANCE_DAYS))
    )


def forget_events() -> None:
    """Events that still wait are given up a day before they are deleted, so that it shows."""
    early = days(min(2, settings.WEBHOOK_DAYS, settings.ATTENDANCE_DAYS)) / 2
    Delivery.objects.give_up(events(timezone.now() + early))
    delete_in_parts(events(timezone.now()))


RULES = [
    Rule("files of recordings", Archive, due, delete_due, size="size"),
    Rule("recordings whose file is gone", Archive, recordings),
    history("broadcasts, captions, renders, calls, audio connectors", Activity,
            Q(ended_at__isnull=False), "created_at"),
    Rule("who was in a meeting", Connection,
         lambda at: Connection.objects.filter(
             meeting__ended_at__lt=at - days(settings.ATTENDANCE_DAYS)),
         forget_attendance),
    history("meetings", Meeting, Q(ended_at__isnull=False), "started_at"),
    Rule("who was muted", Mute,
         lambda at: Mute.objects.filter(muted_at__lt=at - MUTES_KEPT).exclude(
             stream_id=ALL, ended_at=None).exclude(end_is_due=True)),
    Rule("bans until a meeting ends", Ban,
         lambda at: Ban.objects.filter(meeting__ended_at__lt=at - days(1))),
    Rule("guests of waiting rooms", Guest,
         lambda at: Guest.objects.filter(asked_at__lt=at - GUESTS_KEPT)),
    of_audit("audit log", Entry, "at"),
    of_audit("the admin's own log", LogEntry, "action_time"),
    Rule("sessions of staff", Session, lambda at: Session.objects.filter(expire_date__lt=at)),
    Rule("events for webhooks", Delivery, events, forget_events),
    Rule("jobs", DBTaskResult, jobs),
    Rule("counts of wrong guesses", GuessWindow,
         lambda at: GuessWindow.objects.filter(ends__lt=at.timestamp())),
    Rule("answers for an Idempotency-Key", IdempotentRequest,
         lambda at: IdempotentRequest.objects.filter(started_at__lt=at - ANSWERS_KEPT)),
]  # fmt: skip


def forget_old() -> None:
    """Apply all rules, also if one of them fails."""
    for rule in RULES:
        try:
            rule.forget() if rule.forget else delete_in_parts(rule.old(timezone.now()))
        except Exception:
            logger.exception("Could not delete what is old: %s", rule.what)
