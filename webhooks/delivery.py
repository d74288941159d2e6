"""Sends waiting events at least once, in order for each room and endpoint.

A worker takes an endpoint for a turn, which expires if the worker dies. Rooms are sent in parallel.
After a failure the rest of the room waits, and without any answer the rest of the endpoint.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from audit.actors import SERVER, acting_as
from webhooks.deliveries import Delivery, Outcome, counted_since, pause
from webhooks.endpoints import Endpoint
from webhooks.sending import SECONDS, send

AT_ONCE = 8
# Events of an endpoint in one pass, and of one room in that.
MOST, MOST_OF_ROOM = 400, 20
# The time of a room in one pass, for slow receivers.
ROOM_SECONDS = 2.0
# The turn of a worker, and how long it starts attempts, if other endpoints wait as well and if none
# does. An attempt takes up to SECONDS, and the same time is left for storing its result.
TURN = timedelta(seconds=60)
SENDING_AMONG_OTHERS = 5.0
SENDING = TURN.total_seconds() - 2 * SECONDS
FAILING_FOR = timedelta(days=1)
SHORT_REST = timedelta(minutes=1)
GONE = 410

Sent = list[tuple[Delivery, Outcome]]

logger = logging.getLogger(__name__)


def deliver_due() -> None:
    """Send what waits for endpoints that no other worker has taken, the longest unserved first.

    The error of one endpoint is logged, and the others go on.
    """
    waiting = Delivery.objects.waiting().filter(endpoint=OuterRef("pk"))
    ready = Endpoint.objects.ready().filter(Exists(waiting))
    pks = list(
        ready.order_by(F("taken_until").asc(nulls_first=True), "pk").values_list("pk", flat=True)
    )
    seconds = SENDING if len(pks) == 1 else SENDING_AMONG_OTHERS
    for pk in pks:
        try:
            _serve(pk, seconds)
        except Exception:
            logger.exception("Could not send to webhook %s", pk)


def _serve(pk: int, seconds: float) -> None:
    if taken_until := _take(pk):
        try:
            _deliver(pk, taken_until, until=time.monotonic() + seconds)
        finally:
            mine = Endpoint.objects.filter(pk=pk, taken_until=taken_until)
            mine.update(taken_until=timezone.now())


def _take(pk: int) -> datetime | None:
    """Take an endpoint. Returns the end of the turn, None if another worker has it.

    Without a join, which PostgreSQL would evaluate before it waits for another UPDATE.
    """
    now = timezone.now()
    free = Q(taken_until=None) | Q(taken_until__lt=now)
    taken = Endpoint.objects.filter(free, pk=pk).update(taken_until=now + TURN)
    return now + TURN if taken else None


def _deliver(pk: int, taken_until: datetime, *, until: float) -> None:
    """Send in passes, each of which reads the endpoint again, since it may have changed."""
    mine = {"pk": pk, "taken_until": taken_until}
    while time.monotonic() < until and (
        endpoint := Endpoint.objects.ready().filter(**mine).first()
    ):
        outcomes = _send(endpoint, until=until)
        if outcomes:
            _judge(endpoint, outcomes)
        if not outcomes or not all(outcome.succeeded for outcome in outcomes):
            return


def _send(endpoint: Endpoint, *, until: float) -> list[Outcome]:
    no_answer = Event()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        turns = [
            threads.submit(_send_in_order, endpoint, those, no_answer, until)
            for those in _due(endpoint)
        ]
        return [outcome for turn in as_completed(turns) for outcome in _noted(turn.result())]


def _due(endpoint: Endpoint) -> Iterable[list[Delivery]]:
    """The first events of each room, in order. Rooms that wait after a failure are left out.

    The first event of each room comes before the second of any, so that no backlog hides a room.
    """
    in_room: dict[str, Any] = {"partition_by": "room_name", "order_by": "id"}
    first = (
        Delivery.objects.waiting()
        .filter(endpoint=endpoint)
        .annotate(
            place=Window(RowNumber(), **in_room), held_until=Window(Max("next_try_at"), **in_room)
        )
        .filter(Q(held_until=None) | Q(held_until__lte=timezone.now()), place__lte=MOST_OF_ROOM)
        .order_by("place", "id")
    )
    # Ids first, or the database would sort the payloads of all waiting events.
    pks = list(first.values_list("pk", flat=True)[:MOST])
    rooms = defaultdict(list)
    for delivery in Delivery.objects.filter(pk__in=pks).order_by("id"):
        rooms[delivery.room_name].append(delivery)
    return rooms.values()


def _send_in_order(
    endpoint: Endpoint, deliveries: list[Delivery], no_answer: Event, until: float
) -> Sent:
    sent: Sent = []
    until = min(until, time.monotonic() + ROOM_SECONDS)
    for delivery in deliveries:
        if no_answer.is_set() or time.monotonic() > until:
            break
        outcome = send(endpoint, delivery)
        sent.append((delivery, outcome))
        if outcome.status is None:
            no_answer.set()
        if not outcome.succeeded:
            break
    return sent


def _noted(sent: Sent) -> list[Outcome]:
    now = timezone.now()
    for delivery, outcome in sent:
        delivery.note(outcome, now)
    return [outcome for _, outcome in sent]


def _judge(endpoint: Endpoint, outcomes: list[Outcome]) -> None:
    """Note whether the endpoint works, let it rest, or switch it off.

    The outcomes are ignored if its URL has changed meanwhile.
    """
    with acting_as(SERVER), transaction.atomic():
        row = Endpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
        if not row or not row.is_active or row.url != endpoint.url:
            return
        _note(row, outcomes)
        if any(outcome.status == GONE for outcome in outcomes):
            row.switch_off("It answered 410 Gone.")
        elif row.failing_since and timezone.now() - row.failing_since >= FAILING_FOR:
            row.switch_off("No delivery has succeeded for a day.")


def _note(endpoint: Endpoint, outcomes: list[Outcome]) -> None:
    now = timezone.now()
    if any(outcome.succeeded for outcome in outcomes):
        endpoint.failing_since = endpoint.resting_until = None
    else:
        since, rested = endpoint.failing_since, endpoint.resting_until
        endpoint.failing_since = counted_since(since, rested, now)
        rest = pause(endpoint.failing_since, now)
        if any(outcome.status for outcome in outcomes):  # it may accept other events
            rest = min(rest, SHORT_REST)
        endpoint.resting_until = now + rest
    Endpoint.objects.filter(pk=endpoint.pk).update(
        failing_since=endpoint.failing_since, resting_until=endpoint.resting_until
    )
