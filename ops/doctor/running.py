"""Examinations of the running server: callbacks, jobs and recordings."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from archives import storage
from archives.models import Archive
from archives.states import Status
from meetings.models import Meeting, Stream
from ops import jobs
from ops.doctor.finding import Finding
from ops.models import Heartbeat
from rooms.models import Room
from web.errors import Problem
from webhooks.models import Endpoint

# At least one of them should have had a callback.
NEWEST_RECORDINGS = 10
NEWEST_MEETINGS = 10
ROOMS_USED_WITHIN = timedelta(days=7)
# A worker looks each second, and a job takes ten minutes at most.
LONGEST_WAIT = timedelta(minutes=15)


def callbacks() -> Iterator[Finding]:
    if not settings.CALLBACK_SECRET:
        yield Finding(
            "warning",
            "callbacks",
            "CALLBACK_SECRET is not set, so that OpenTok cannot tell this server anything: lists "
            "show recordings as they were when last asked for, and who is in a room is known only "
            "when somebody looks.",
            "Register /callbacks of this server at OpenTok, with a signature secret, and set "
            "CALLBACK_SECRET to the same.",
            variables=("CALLBACK_SECRET=…",),
        )
        return
    newest = Archive.objects.values_list("called_back_at", flat=True)[:NEWEST_RECORDINGS]
    called = [moment for moment in newest if moment]
    if newest and not called:
        yield Finding(
            "warning",
            "callbacks",
            f"None came about the {len(newest)} newest recordings.",
            "Check at OpenTok that /callbacks of this server is registered, by https and for "
            "archives. If the log has `A callback was refused`, set CALLBACK_SECRET to the "
            "signature secret there. OpenTok may take half an hour to go by a change.",
        )
    elif called:
        message = f"One about the newest recordings came at {max(called):%Y-%m-%d %H:%M} UTC."
        yield Finding("ok", "callbacks", message)
    else:
        yield Finding("ok", "callbacks", "None has come yet; nothing has been recorded.")


def session_monitoring() -> Iterator[Finding]:
    """Judged by streams, since connections also come from OpenTok's lists."""
    if not settings.CALLBACK_SECRET:
        return  # callbacks() has said so
    # The streams of older meetings are deleted.
    since = timezone.now() - timedelta(days=settings.ATTENDANCE_DAYS)
    recent = Meeting.objects.filter(started_at__gte=since)
    newest = list(recent.values_list("pk", flat=True)[:NEWEST_MEETINGS])
    told = Stream.objects.filter(connection__meeting__in=newest).exists()
    used = Room.objects.filter(last_used_at__gte=timezone.now() - ROOMS_USED_WITHIN).exists()
    if (newest or used) and not told:
        yield Finding(
            "warning",
            "session monitoring",
            "No callback told who published in the newest meetings."
            if newest
            else "Rooms were used in the last week, but no callback told of anybody in them.",
            "Check at OpenTok that /callbacks of this server is registered for session monitoring "
            "as well. Without it bans, limits of people and of time, and recordings of every "
            "meeting come up to ten minutes late, and who was in a meeting is known in part.",
        )
    elif newest:
        yield Finding("ok", "session monitoring", "Callbacks told of the newest meetings.")


def worker() -> Iterator[Finding]:
    age = Heartbeat.objects.age()
    if age is None and settings.WORKER:
        yield Finding("ok", "worker", "It begins with the server.")
    elif age is None or age > LONGEST_WAIT:
        since = f"for {round(age.total_seconds() / 60)} minutes" if age else "yet"
        yield Finding(
            # With WORKER on it may only be that the server is off.
            "warning" if settings.WORKER else "error",
            "worker",
            f"None has run {since}: no events, jobs, limits or bans, and nothing is deleted.",
            "Start the server, with WORKER on, or run `python manage.py worker` as a process of "
            "its own.",
            variables=() if settings.WORKER else ("WORKER=on",),
        )
    else:
        yield Finding("ok", "worker", "One has run in the last quarter of an hour.")


def webhooks() -> Iterator[Finding]:
    count = Endpoint.objects.switched_off().count()
    if count:
        yield Finding(
            "warning",
            "webhooks",
            f"The server has switched off {count}, since nothing succeeded.",
            "The admin has them under “Webhooks”, with what was sent to them. Make them active "
            "again, or delete them.",
        )
    else:
        yield Finding("ok", "webhooks", "The server has switched off none.")


def background_jobs() -> Iterator[Finding]:
    wait, failed = jobs.longest_wait(), jobs.counts()["failed"]
    if wait > LONGEST_WAIT:
        yield Finding(
            "error",
            "background jobs",
            f"One has waited for {round(wait.total_seconds() / 60)} minutes: no worker runs.",
            "Set WORKER to on, or run `python manage.py worker` as a process of its own.",
            variables=("WORKER=on",),
        )
    if failed:
        yield Finding(
            "warning",
            "background jobs",
            f"{failed} failed, and are not tried again.",
            "The admin has them under “Jobs”, with what went wrong and a button to try again.",
        )
    if wait <= LONGEST_WAIT and not failed:
        yield Finding("ok", "background jobs", "None waits for long, and none has failed.")


def recordings() -> Iterator[Finding]:
    """How long their files are kept."""
    if storage.is_set():
        yield from own_storage()
        return
    newest = list(Archive.objects.values_list("status", flat=True)[:NEWEST_RECORDINGS])
    if Status.UPLOADED in newest:
        told = (
            "OpenTok uploads them to your own storage. Set ARCHIVE_STORAGE_URL to watch them here."
        )
    else:
        told = (
            "OpenTok deletes each after 72 hours. Set ARCHIVE_STORAGE_URL to keep them for longer."
        )
    yield Finding("ok", "recordings", told)


def _storage_advice() -> str:
    if settings.ARCHIVE_STORAGE.kind == "azure":
        return (
            "Check its account and container, AZURE_STORAGE_KEY, and that this key may read and "
            "write in that container."
        )
    return (
        "Check its name, region and endpoint, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and "
        "that they may read and write in that bucket."
    )


def own_storage() -> Iterator[Finding]:
    try:
        storage.current().try_out()
    except Problem as error:
        yield Finding(
            "error",
            "recordings",
            f"The storage of ARCHIVE_STORAGE_URL takes no files: {error.reason}.",
            _storage_advice(),
        )
    else:
        yield Finding("ok", "recordings", "The storage of ARCHIVE_STORAGE_URL takes files.")
    lost = Archive.objects.lost_soon().count()
    if lost:
        yield Finding(
            "error",
            "recordings",
            f"OpenTok deletes {lost} within six hours that are not in the storage yet.",
            "Their pages in the admin say why. Download them there, or mend the storage.",
        )
