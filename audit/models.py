"""The audit log: a row for each act, with who did what to what, when and from where.

Rows are only added.
"""

from __future__ import annotations

import json
import logging
from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error, models, transaction
from django.utils import timezone

from audit.actors import ActorKind, current_actor
from audit.details import MAX_TEXT, bounded, clean
from telemetry.logs import in_one_line
from web.rows import insert

MAX_ADDRESS = 64
MAX_WHAT = MAX_KIND = 40
# The columns of CSV.
COLUMNS = ["Time", "By", "Who", "Actor's id", "Address", "What", "Kind of subject",
           "Subject", "Subject's id", "Room", "Details"]  # fmt: skip

logger = logging.getLogger(__name__)


class EntriesStay(TypeError):
    """A bug: entries are not changed, and only ops/retention.py deletes them."""


def _refuse() -> NoReturn:
    raise EntriesStay("Entries of the audit log are neither changed nor deleted.")


class EntryQuerySet(models.QuerySet["Entry"]):
    def update(self, **columns: Any) -> NoReturn:
        _refuse()

    def delete(self) -> NoReturn:
        _refuse()

    def bulk_update(self, *how: Any, **named: Any) -> NoReturn:
        _refuse()


class EntryManager(models.Manager["Entry"]):
    def get_queryset(self) -> EntryQuerySet:
        return EntryQuerySet(self.model, using=self._db)

    def record(self, what: str, subject: models.Model | None = None, **told: Any) -> None:
        """Record a change, in its transaction. `room` is the name of its room. All else goes into
        the details, which must not hold secrets.
        """
        insert(self.entry(what, subject, **told), using=self.db)

    def note(self, what: str, subject: models.Model | None = None, **told: Any) -> None:
        """Record what is already done, for example at OpenTok. Database errors are only logged."""
        try:
            with transaction.atomic():
                self.record(what, subject, **told)
        except Error as error:
            logger.warning("Could not record that this was done: %s: %s", what, in_one_line(error))

    def entry(
        self, what: str, subject: models.Model | None, *, room: str | None = None, **details: Any
    ) -> Entry:
        """A new entry by the current actor, not saved."""
        actor = current_actor()
        if room is None:
            room = getattr(subject, "room_name", "")
        return self.model(
            actor_kind=actor.kind,
            actor_id=clean(actor.id, 255),
            actor_name=clean(actor.name),
            address=clean(actor.address, MAX_ADDRESS),
            what=what[:MAX_WHAT],
            subject_kind=kind_of(subject)[:MAX_KIND] if subject else "",
            subject_id=clean(subject.pk or "") if subject else "",
            subject_name=clean(subject) if subject else "",
            room_name=clean(room),
            details=bounded(details),
        )


def kind_of(subject: models.Model | type[models.Model]) -> str:
    """Such as `room`, `recording` or `api key`."""
    return str(subject._meta.verbose_name).lower()


class Entry(models.Model):
    at = models.DateTimeField("time", default=timezone.now, editable=False)
    actor_kind = models.CharField("by", max_length=10, choices=ActorKind)
    actor_id = models.CharField("id of the actor", max_length=255, blank=True)
    actor_name = models.CharField("who", max_length=MAX_TEXT, blank=True)
    address = models.CharField(max_length=MAX_ADDRESS, blank=True)
    what = models.CharField(max_length=MAX_WHAT)
    subject_kind = models.CharField("kind of subject", max_length=MAX_KIND, blank=True)
    subject_id = models.CharField("id of the subject", max_length=MAX_TEXT, blank=True)
    subject_name = models.CharField("subject", max_length=MAX_TEXT, blank=True)
    room_name = models.CharField("room", max_length=MAX_TEXT, blank=True)
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    objects = EntryManager()

    class Meta:
        verbose_name_plural = "entries"
        ordering = ["-at", "-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["at", "id"], name="audit_at"),
            models.Index(fields=["actor_name", "at", "id"], name="audit_actor_at"),
            models.Index(fields=["subject_id", "at", "id"], name="audit_subject_at"),
            models.Index(
                fields=["room_name", "-at", "-id"],
                name="audit_room_at",
                # For LIKE and for =, on PostgreSQL.
                opclasses=["varchar_pattern_ops", "timestamptz_ops", "int8_ops"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.subject_name}".strip()

    def as_row(self) -> list[object]:
        """The values of COLUMNS."""
        return [
            self.at,
            self.actor_kind,
            self.actor_name,
            self.actor_id,
            self.address,
            self.what,
            self.subject_kind,
            self.subject_name,
            self.subject_id,
            self.room_name,
            json.dumps(self.details, ensure_ascii=False) if self.details else "",
        ]

    def save(self, *how: Any, **named: Any) -> None:
        if not self._state.adding:
            _refuse()
        super().save(*how, **named)

    def delete(self, *how: Any, **named: Any) -> NoReturn:
        _refuse()
