"""Sends what waits: in its order for each room and endpoint, and at least once.

An endpoint is taken by one worker at a time, for a turn, which ends by itself if the worker dies.
Rooms are sent side by side. After a failure the rest of the room waits, and if nobody has answered
at all, the rest of the endpoint.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from threading import Event

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from audit.actors import SERVER, acting_as
from webhooks.deliveries import Delivery, Outcome, pause
from webhooks.endpoints import Endpoint
from webhooks.sending import SECONDS, send

AT_ONCE = 8
# Of an endpoint at a time, and of these of one room.
MOST, MOST_OF_ROOM = 400, 20
# The turn of a worker, and how long it begins to send within it.
TURN = timedelta(seconds=60)
SENDING = TURN.total_seconds() - 2 * SECONDS
FAILING_FOR = timedelta(days=1)
SHORT_REST = timedelta(minutes=1)
GONE = 410

Sent = list[tuple[Delivery, Outcome]]


def deliver_due() -> None:
    """What waits for the endpoints that no other worker has taken."""
    now = timezone.now()
    waiting = Delivery.objects.waiting().filter(endpoint=OuterRef("pk"))
    rested = Q(resting_until=None) | Q(resting_until__lt=now)
    for endpoint in Endpoint.objects.active().filter(rested, Exists(waiting)).order_by("pk"):
        if until := _take(endpoint):
            try:
                _deliver(endpoint, until=time.monotonic() + SENDING)
            finally:
                mine = Endpoint.objects.filter(pk=endpoint.pk, taken_until=until)
                mine.update(taken_until=None)


def _take(endpoint: Endpoint) -> datetime | None:
    """Returns the end of the turn, None if another worker has it.

    By the row alone: PostgreSQL looks at a join once, before it waits for another's UPDATE.
    """
    now = timezone.now()
    free = Q(taken_until=None) | Q(taken_until__lt=now)
    taken = Endpoint.objects.filter(free, pk=endpoint.pk).update(taken_until=now + TURN)
    return now + TURN if taken else None


def _deliver(endpoint: Endpoint, *, until: float) -> None:
    while time.monotonic() < until and (rooms := _due(endpoint)):
        no_answer = Event()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            turns = [
                threads.submit(_send_in_order, endpoint, those, no_answer, until) for those in rooms
            ]
            outcomes = [
                outcome for turn in as_completed(turns) for outcome in _noted(turn.result())
            ]
        _judge(endpoint, outcomes)
        if not all(outcome.succeeded for outcome in outcomes):
            return


def _due(endpoint: Endpoint) -> Iterable[list[Delivery]]:
    """The first of each room, in order; of rooms that do not wait after a failure."""
    waiting = Delivery.objects.waiting().filter(endpoint=endpoint)
    resting = waiting.filter(next_try_at__gt=timezone.now()).order_by().values("room_name")
    rooms = defaultdict(list)
    for delivery in waiting.exclude(room_name__in=resting).order_by("id")[:MOST]:
        rooms[delivery.room_name].append(delivery)
    return [those[:MOST_OF_ROOM] for those in rooms.values()]


def _send_in_order(
    endpoint: Endpoint, deliveries: list[Delivery], no_answer: Event, until: float
) -> Sent:
    sent: Sent = []
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
    """What the outcomes say of the endpoint: that it works, has to rest, or is switched off."""
    now = timezone.now()
    if any(outcome.succeeded for outcome in outcomes):
        endpoint.failing_since = endpoint.resting_until = None
    elif outcomes:
        endpoint.failing_since = endpoint.failing_since or now
        rest = pause(endpoint.failing_since, now)
        if any(outcome.status for outcome in outcomes):  # it may take other events
            rest = min(rest, SHORT_REST)
        endpoint.resting_until = now + rest
    Endpoint.objects.filter(pk=endpoint.pk).update(
        failing_since=endpoint.failing_since, resting_until=endpoint.resting_until
    )
    if any(outcome.status == GONE for outcome in outcomes):
        _switch_off(endpoint, "It answered 410 Gone.")
    elif endpoint.failing_since and now - endpoint.failing_since >= FAILING_FOR:
        _switch_off(endpoint, "No delivery has succeeded for a day.")


def _switch_off(endpoint: Endpoint, why: str) -> None:
    with acting_as(SERVER), transaction.atomic():
        endpoint.switch_off(why)
