"""What other systems are told: an event, stored with what it tells of, for each endpoint that wants
it. webhooks/delivery.py sends them.
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

# What each has in its `data`: docs/webhooks.md.
EVENTS = (
    *(f"room.{what}" for what in ("created", "changed", "closed", "opened", "deleted")),
    *("meeting.started", "meeting.ended", "participant.joined", "participant.left"),
    *(f"recording.{status}" for status in ("started", "paused", "stopped", "uploaded", "available",
                                           "expired", "failed", "deleted")),
    *("broadcast.started", "broadcast.stopped", "captions.started", "captions.stopped"),
)  # fmt: skip

# Of what `together` does without a transaction.
_unwanted: ContextVar[bool] = ContextVar("events_unwanted", default=False)


def record(event: str, *, room: str, **data: Any) -> None:
    """Part of a change, in its transaction. `data` holds no secrets, tokens or signed links."""
    if not are_wanted():
        return
    endpoints = [each for each in active_endpoints() if each.wants(event, room)]
    if not endpoints:
        return
    now = timezone.now()
    payload = {"type": event, "timestamp": now.isoformat(), "data": {"room": room, **data}}
    # In ASCII: half an emoji, which a name can end with, is no UTF-8.
    text = json.dumps(payload, cls=DjangoJSONEncoder)
    for endpoint in endpoints:
        delivery = Delivery(
            endpoint=endpoint, event=event, room_name=room, payload=text, created_at=now
        )
        insert(delivery, using=Delivery.objects.db)


def are_wanted() -> bool:
    """Whether there is an endpoint at all."""
    return not _unwanted.get() and bool(active_endpoints())


@contextmanager
def together() -> Iterator[None]:
    """A transaction for a change and its events; none, which is quicker, if nobody wants any.

    Nobody does until it ends then: an event for an endpoint that is made meanwhile would stand
    outside a transaction.
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
