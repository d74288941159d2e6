from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import models
from django.db.models import Max, Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit.models import Entry
from webhooks.endpoints import Endpoint

MAX_ANSWER = 500
UPDATED_AT_ONCE = 1000
SENT_AGAIN = 10_000
# How long a delivery is retried, and the bounds of the pauses, which are as long as it has failed.
TRIED_FOR = timedelta(days=1)
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
# A delay that is longer than this is not due to the pauses.
LATE = 2 * LONGEST_PAUSE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class State(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class Outcome(NamedTuple):
    """Of an attempt: the status and the beginning of the answer, or None and the reason."""

    status: int | None
    answer: str
    milliseconds: int

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class SentAgain(NamedTuple):
    """How many events, and the moment since which there are more, or None."""

    sent: int
    more_since: datetime | None


def pause(failing_since: datetime, now: datetime) -> timedelta:
    return min(max(now - failing_since, SHORTEST_PAUSE), LONGEST_PAUSE)


def counted_since(since: datetime | None, due_at: datetime | None, now: datetime) -> datetime:
    """The moment since which failures count, after another failure now.

    `since` is that moment before, if there were earlier failures, and `due_at` the time at which
    the attempt was due. Time without attempts, while the server was off or had nothing to send,
    does not count; after a day without attempts the count begins anew.
    """
    if since is None or due_at is None:
        return since or now
    delay = now - due_at
    if delay >= TRIED_FOR:
        return now
    return min(since + delay, now) if delay > LATE else since


class DeliveryManager(models.Manager["Delivery"]):
    def waiting(self) -> models.QuerySet[Delivery]:
        return self.filter(state=State.WAITING)

    def ping(self, endpoint: Endpoint) -> Delivery:
        """Send a test event. It belongs to no room, and so waits for no other event."""
        now = timezone.now()
        payload = {"type": "ping", "timestamp": now.isoformat(), "data": {}}
        Entry.objects.note("webhook.pinged", endpoint)
        _wake(Endpoint.objects.filter(pk=endpoint.pk), now)
        return self.create(
            endpoint=endpoint, event="ping", payload=json.dumps(payload), created_at=now
        )

    def longest_wait(self) -> timedelta:
        """The longest wait of an event that could be sent.

        It waits since it was recorded, or since the pause of its room's last failure was over.
        """
        due = self.waiting().filter(endpoint__in=Endpoint.objects.ready()).order_by()
        rooms = due.values("endpoint", "room_name").annotate(
            since=Coalesce(Max("next_try_at"), Min("created_at"))
        )
        first = rooms.aggregate(first=Min("since"))["first"]
        return max(timezone.now() - first, timedelta()) if first else timedelta()

    def send_again(self, deliveries: models.QuerySet[Delivery]) -> SentAgain:
        """Send the first SENT_AGAIN that are not waiting."""
        over = deliveries.exclude(state=State.WAITING).order_by("created_at", "id")
        found = list(over.values_list("pk", "created_at")[: SENT_AGAIN + 1])
        pks = [pk for pk, _ in found[:SENT_AGAIN]]
        more_since = found[SENT_AGAIN][1] if len(found) > SENT_AGAIN else None
        endpoints = over.order_by().values_list("endpoint", flat=True).distinct()
        now = timezone.now()
        _wake(Endpoint.objects.filter(pk__in=list(endpoints)), now)
        changes = {"first_tried_at": None, "next_try_at": now, "delivered_at": None}
        count = sum(
            self.filter(pk__in=pks[first : first + UPDATED_AT_ONCE]).update(
                state=State.WAITING, **changes
            )
            for first in range(0, len(pks), UPDATED_AT_ONCE)
        )
        Entry.objects.note("webhook.sent_again", None, count=count)
        return SentAgain(count, more_since)

    def give_up(self, deliveries: models.QuerySet[Delivery]) -> None:
        """Give up those that wait."""
        waiting = deliveries.filter(state=State.WAITING)
        waiting.update(state=State.FAILED, next_try_at=None)


def _wake(endpoints: models.QuerySet[Endpoint], now: datetime) -> None:
    """End the rest of endpoints that are resting; the others keep the end of their last rest."""
    endpoints.filter(resting_until__gt=now).update(resting_until=None)


class Delivery(models.Model):
    """An event for an endpoint. The table is the outbox and the log of deliveries."""

    id = models.BigAutoField(primary_key=True)
    # Without a database constraint: if the endpoint is deleted meanwhile, recording the event must
    # not fail, or the change that it reports would.
    endpoint = models.ForeignKey(
        Endpoint, verbose_name="webhook", on_delete=models.CASCADE, related_name="deliveries",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    event = models.CharField(max_length=40)
    room_name = models.CharField("room", max_length=200, blank=True)
    payload = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    created_at = models.DateTimeField("created", default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField("next attempt", null=True)
    delivered_at = models.DateTimeField("delivered", null=True)
    # Of the last attempt: the status and the beginning of the answer, or why there was none.
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=MAX_ANSWER, blank=True)
    milliseconds = models.PositiveIntegerField(null=True)

    objects = DeliveryManager()

    class Meta:
        verbose_name_plural = "deliveries"
        default_permissions = ("view",)
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["endpoint", "id"],
                name="webhook_waiting",
                condition=models.Q(state="waiting"),
            ),
            models.Index(
                fields=["endpoint", "id"],
                name="webhook_given_up",
                condition=models.Q(state="failed"),
            ),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="webhook_log"),
            models.Index(fields=["-created_at", "-id"], name="webhook_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.room_name}".strip()

    @property
    def message_id(self) -> str:
        """The `webhook-id`. Ids of rows alone come again after a backup is restored."""
        return f"{self.pk}-{(self.created_at - EPOCH) // timedelta(microseconds=1)}"

    def note(self, outcome: Outcome, now: datetime) -> None:
        """Store the result of an attempt. After a day of failures the delivery is given up."""
        self.attempts += 1
        self.status, self.answer, self.milliseconds = outcome
        self.first_tried_at = counted_since(self.first_tried_at, self.next_try_at, now)
        if outcome.succeeded:
            self.state, self.delivered_at, self.next_try_at = State.DELIVERED, now, None
        elif now - self.first_tried_at >= TRIED_FOR:
            self.state, self.next_try_at = State.FAILED, None
        else:
            self.next_try_at = now + pause(self.first_tried_at, now)
        # Not save(): the webhook may have been deleted meanwhile.
        noted = ("attempts", "status", "answer", "milliseconds", "first_tried_at", "state",
                 "delivered_at", "next_try_at")  # fmt: skip
        Delivery.objects.filter(pk=self.pk).update(**{name: getattr(self, name) for name in noted})
        if self.state == State.FAILED:
            self._pass_failures_on(self.first_tried_at, now)

    def _pass_failures_on(self, since: datetime, now: datetime) -> None:
        """Let failures of the room's next event count since this one failed, or since it was made.

        Else a receiver that takes nothing of a room would be tried with each event for a day, while
        later ones grow too old.
        """
        room = Delivery.objects.waiting().filter(
            endpoint=self.endpoint_id, room_name=self.room_name
        )
        if following := room.order_by("id").first():
            since = max(since, following.created_at)
            room.filter(pk=following.pk).update(first_tried_at=since, next_try_at=now)
