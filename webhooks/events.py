"""Events for other systems, stored for each endpoint that wants them, together with the change.

webhooks/delivery.py sends them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from web.rows import insert
from webhooks.deliveries import Delivery
from webhooks.endpoints import active_endpoints

# Their `data`: docs/webhooks.md.
EVENTS = (
    *(f"room.{what}" for what in ("created", "changed", "closed", "opened", "deleted")),
    *("meeting.started", "meeting.ended", "participant.joined", "participant.left"),
    *(f"recording.{status}" for status in ("started", "paused", "stopped", "uploaded", "available",
                                           "expired", "failed", "deleted")),
    *("broadcast.started", "broadcast.stopped", "captions.started", "captions.stopped"),
)  # fmt: skip

# Set while `together` runs without a transaction.
_unwanted: ContextVar[bool] = ContextVar("events_unwanted", default=False)


def record(event: str, *, room: str, **data: Any) -> None:
    """Record an event in the transaction of its change. `data` must hold no secrets or tokens."""
    if not are_wanted():
        return
    endpoints = [each for each in active_endpoints() if each.wants(event, room)]
    if not endpoints:
        return
    now = timezone.now()
    payload = {"type": event, "timestamp": now.isoformat(), "data": {"room": room, **data}}
    # In ASCII, since a name that was cut may end with a lone surrogate.
    text = json.dumps(payload, cls=DjangoJSONEncoder)
    for endpoint in endpoints:
        delivery = Delivery(
            endpoint=endpoint, event=event, room_name=room, payload=text, created_at=now
        )
        insert(delivery, using=Delivery.objects.db)


def are_wanted() -> bool:
    """Whether there is any active endpoint."""
    return not _unwanted.get() and bool(active_endpoints())


@contextmanager
def together() -> Iterator[None]:
    """A transaction for a change and its events, or none, which is quicker, without endpoints.

    Then no event is recorded until the block ends: one for an endpoint that is made meanwhile would
    be outside of a transaction.
    """
    if are_wanted():
        with transaction.atomic():
            yield
    else:
        before = _unwanted.set(True)
        try:
            yield
        finally:
            _unwanted.reset(before)
