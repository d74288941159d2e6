"""/metrics, for Prometheus."""

import hmac
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import inf

from django.conf import settings
from django.db import Error, connection
from django.db.models import Count
from django.http import HttpResponse
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from rest_framework.request import Request
from rest_framework.views import APIView

from access.authentication import BearerAuthentication, Proof, key_of
from access.capabilities import Capability
from access.notes import best_effort
from access.permissions import HasCapability
from archives import storage
from archives.models import Archive
from archives.states import Status
from live.models import Activity, Kind
from meetings.models import Meeting
from meetings.presence import people_of
from meetings.use import by_hour
from ops import jobs
from ops.disk import storage_use
from ops.health import database_works
from ops.models import Heartbeat
from rooms.models import Room
from telemetry import counters
from web.errors import Problem
from web.version import VERSION
from webhooks.deliveries import State
from webhooks.models import Delivery, Endpoint


class TokenOrKey(BearerAuthentication):
    def authenticate(self, request: Request) -> tuple[None, Proof] | None:
        return None if sends_token(request) else super().authenticate(request)


class MayRead(HasCapability):
    def has_permission(self, request: Request, view: APIView) -> bool:
        if sends_token(request):
            return True
        key = key_of(request)
        if key is None:
            raise Problem("metrics_closed")
        allowed = super().has_permission(request, view)
        key.refuse_other_rooms(None)  # the numbers are those of all rooms
        return allowed


class MetricsView(APIView):
    """The counters of all processes, and gauges of the database."""

    authentication_classes = (TokenOrKey,)
    permission_classes = (MayRead,)
    needs = Capability.MANAGE

    def get(self, request: Request) -> HttpResponse:
        registry = counters.of_all_processes()
        registry.register(Stored())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def sends_token(request: Request) -> bool:
    """Whether it has the METRICS_TOKEN. An empty one matches nothing."""
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    token = settings.METRICS_TOKEN.encode()
    # As bytes, since text is compared in constant time only if it is ASCII.
    right = hmac.compare_digest(sent.encode("utf-8", "replace"), token)
    return bool(token) and right and scheme.lower() == "bearer"


class Stored:
    """Gauges of the database, one of which says whether it can be used.

    All rows are counted, by an index: 0.1 to 0.3 s for a million. A LIMIT would be slower.
    """

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("rooms_info", "The release that runs.", labels=["version"])
        info.add_metric([VERSION], 1)
        yield info
        if _database_answers():
            for gauges in GAUGES:
                with best_effort(f"collect metrics ({gauges.__name__})"):
                    yield from gauges()
        up = int(database_works())
        yield GaugeMetricFamily(
            "rooms_database_up", "Whether the database can be read and written to.", value=up
        )


def _database_answers() -> bool:
    with suppress(Error):
        connection.ensure_connection()
        return True
    return False


def _rooms() -> Iterator[Metric]:
    yield GaugeMetricFamily("rooms_stored_rooms", "Rooms.", value=Room.objects.count())


def _archives() -> Iterator[Metric]:
    gauge = GaugeMetricFamily(
        "rooms_stored_archives", "Recordings by the status last heard of.", labels=["status"]
    )
    counts = dict.fromkeys([*Status, "other"], 0)
    found = Archive.objects.order_by().values_list("status").annotate(Count("pk"))
    for status, count in found:
        counts[status if status in counts else "other"] += count
    for status, count in counts.items():
        gauge.add_metric([status], count)
    yield gauge


def _lost_soon() -> Iterator[Metric]:
    if storage.is_set():
        yield GaugeMetricFamily(
            "rooms_archives_lost_soon",
            "Recordings that OpenTok deletes within six hours and that are not in the storage.",
            value=Archive.objects.lost_soon().count(),
        )


def _activities() -> Iterator[Metric]:
    gauge = GaugeMetricFamily(
        "rooms_running_activities",
        "Broadcasts, captions, renders, calls and audio connectors that run.",
        labels=["kind"],
    )
    running = Activity.objects.filter(ended_at__isnull=True).order_by()
    counts = dict.fromkeys(Kind.values, 0) | dict(running.values_list("kind").annotate(Count("pk")))
    for kind, count in counts.items():
        gauge.add_metric([kind], count)
    yield gauge


def _jobs() -> Iterator[Metric]:
    gauge = GaugeMetricFamily(
        "rooms_jobs", "Jobs of the worker that are not done.", labels=["status"]
    )
    for status, count in jobs.counts().items():
        gauge.add_metric([status], count)
    yield gauge
    yield GaugeMetricFamily(
        "rooms_oldest_job_seconds",
        "How long the job that was due first has waited for a worker.",
        value=jobs.longest_wait().total_seconds(),
    )


def _worker() -> Iterator[Metric]:
    age = Heartbeat.objects.age()
    yield GaugeMetricFamily(
        "rooms_worker_last_seen_seconds",
        "How long ago a worker was at work, to the minute; infinite if none ever was.",
        value=inf if age is None else age.total_seconds(),
    )


def _webhooks() -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "rooms_webhooks_waiting",
        "Events that wait for a webhook.",
        value=Delivery.objects.waiting().count(),
    )
    yield GaugeMetricFamily(
        "rooms_webhooks_failing",
        "Webhooks with which nothing succeeds.",
        value=Endpoint.objects.filter(is_active=True, failing_since__isnull=False).count(),
    )
    yield GaugeMetricFamily(
        "rooms_webhooks_switched_off",
        "Webhooks that the server has switched off, since nothing succeeded.",
        value=Endpoint.objects.switched_off().count(),
    )
    yield GaugeMetricFamily(
        "rooms_webhook_events_given_up",
        "Stored events that were given up.",
        value=Delivery.objects.filter(state=State.FAILED).count(),
    )
    yield GaugeMetricFamily(
        "rooms_oldest_webhook_seconds",
        "How long the event for a webhook that was due first has waited for a worker.",
        value=Delivery.objects.longest_wait().total_seconds(),
    )


def _sizes() -> Iterator[Metric]:
    size = storage_use()
    yield GaugeMetricFamily("rooms_database_bytes", "The database's size.", value=size.database)
    if size.disk:
        yield GaugeMetricFamily("rooms_disk_bytes", "The size of its disk.", value=size.disk)
        yield GaugeMetricFamily("rooms_disk_free_bytes", "What of it is free.", value=size.free)


def _meetings() -> Iterator[Metric]:
    running = Meeting.objects.filter(ended_at=None).order_by()
    yield GaugeMetricFamily("rooms_running_meetings", "Meetings that go on.", value=running.count())
    yield GaugeMetricFamily(
        "rooms_connected_people", "People who are in a room.", value=people_of(running).count()
    )
    yield GaugeMetricFamily(
        "rooms_person_minutes_of_a_day",
        "Minutes of all people together, in meetings of the last 24 hours.",
        value=sum(hour.minutes for hour in by_hour()),
    )


# An error in one leaves the others.
GAUGES: list[Callable[[], Iterator[Metric]]] = [
    _rooms,
    _archives,
    _lost_soon,
    _activities,
    _meetings,
    _jobs,
    _worker,
    _webhooks,
    _sizes,
]
