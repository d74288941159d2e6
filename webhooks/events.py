"""What other systems are told: an event, stored with what it tells of, for each endpoint that wants
it. webhooks/delivery.py sends them.
"""

import json
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from webhooks.deliveries import Delivery
from webhooks.endpoints import Endpoint

# Each with what its `data` has besides `room`, the room's name.
EVENTS = {
    "room.created": "what was chosen when it was made",
    "room.changed": "what has changed, as it is now",
    "room.closed": "",
    "room.opened": "",
    "room.deleted": "",
    "meeting.started": "`meeting`, its id, and `startedAt`",
    "meeting.ended": "`meeting`, `startedAt`, `endedAt`, `people`",
    "participant.joined": "`meeting`, `connection`, `name`, `joinedAt`",
    "participant.left": "`meeting`, `connection`, `name`, `joinedAt`, `leftAt`, `reason`",
    "recording.started": "`recording`: its id, status, length and so on",
    "recording.paused": "the same",
    "recording.stopped": "the same",
    "recording.uploaded": "the same",
    "recording.available": "the same",
    "recording.expired": "the same",
    "recording.failed": "the same",
    "recording.deleted": "the same",
    "broadcast.started": "`id`",
    "broadcast.stopped": "`id`",
    "captions.started": "`id`",
    "captions.stopped": "`id`",
}
# How long a process believes that the endpoints are as it has read them, in seconds.
KEPT_FOR = 1.0

_known: tuple[float, list[Endpoint]] = (0.0, [])


def record(event: str, *, room: str, **data: Any) -> None:
    """Part of a change, in its transaction. `data` holds no secrets, tokens or signed links."""
    endpoints = [each for each in _endpoints() if each.wants(event, room)]
    if not endpoints:
        return
    now = timezone.now()
    payload = {"type": event, "timestamp": now.isoformat(), "data": {"room": room, **data}}
    # In ASCII: half an emoji, which a name can end with, is no UTF-8.
    text = json.dumps(payload, cls=DjangoJSONEncoder)
    Delivery.objects.bulk_create(
        Delivery(endpoint=endpoint, event=event, room_name=room, payload=text, created_at=now)
        for endpoint in endpoints
    )


def are_wanted() -> bool:
    """Whether there is an endpoint at all."""
    return bool(_endpoints())


def together() -> AbstractContextManager[Any]:
    """A transaction for a change and its events; none, which is quicker, if nobody wants any."""
    return transaction.atomic() if are_wanted() else nullcontext()


def forget_endpoints() -> None:
    """Read them again, since this process has changed one."""
    global _known
    _known = (0.0, [])


def _endpoints() -> list[Endpoint]:
    global _known
    until, endpoints = _known
    if until < time.monotonic():
        endpoints = list(Endpoint.objects.active())
        _known = (time.monotonic() + KEPT_FOR, endpoints)
    return endpoints
