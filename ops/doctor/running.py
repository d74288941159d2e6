"""Examinations of the running server: callbacks, jobs and recordings."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from archives import storage
from archives.models import Archive
from archives.states import Status
from meetings.models import Meeting, Stream
from ops import jobs
from ops.doctor.finding import Finding
from web.errors import Problem

# At least one of them should have had a callback.
NEWEST_RECORDINGS = 10
NEWEST_MEETINGS = 10
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
    try:
        newest = Archive.objects.values_list("called_back_at", flat=True)[:NEWEST_RECORDINGS]
        called = [moment for moment in newest if moment]
    except DatabaseError:
        return  # database() has said so
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
    try:
        # The streams of older meetings are deleted.
        since = timezone.now() - timedelta(days=settings.ATTENDANCE_DAYS)
        recent = Meeting.objects.filter(started_at__gte=since)
        newest = list(recent.values_list("pk", flat=True)[:NEWEST_MEETINGS])
        told = Stream.objects.filter(connection__meeting__in=newest).exists()
    except DatabaseError:
        return  # database() has said so
    if newest and not told:
        yield Finding(
            "warning",
            "session monitoring",
            "No callback told who published in the newest meetings.",
            "Check at OpenTok that /callbacks of this server is registered for session monitoring "
            "as well. Without it bans, limits of people and recordings of every meeting come late, "
            "and who was in a meeting is known in part.",
        )
    elif newest:
        yield Finding("ok", "session monitoring", "Callbacks told of the newest meetings.")


def background_jobs() -> Iterator[Finding]:
    try:
        wait, failed = jobs.longest_wait(), jobs.counts()["failed"]
    except DatabaseError:
        return  # database() has said so
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
    try:
        newest = list(Archive.objects.values_list("status", flat=True)[:NEWEST_RECORDINGS])
    except DatabaseError:
        return  # database() has said so
    if Status.UPLOADED in newest:
        told = (
            "OpenTok uploads them to your own storage. Set ARCHIVE_STORAGE_URL to watch them here."
        )
    else:
        told = (
            "OpenTok deletes each after 72 hours. Set ARCHIVE_STORAGE_URL to keep them for longer."
        )
    yield Finding("ok", "recordings", told)


def own_storage() -> Iterator[Finding]:
    try:
        storage.current().try_out()
    except Problem as error:
        yield Finding(
            "error",
            "recordings",
            f"The storage of ARCHIVE_STORAGE_URL takes no files: {error.reason}.",
            "Check its name, region and endpoint, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and "
            "that they may read and write in that bucket.",
        )
    else:
        yield Finding("ok", "recordings", "The storage of ARCHIVE_STORAGE_URL takes files.")
    try:
        lost = Archive.objects.lost_soon().count()
    except DatabaseError:
        return  # database() has said so
    if lost:
        yield Finding(
            "error",
            "recordings",
            f"OpenTok deletes {lost} within six hours that are not in the storage yet.",
            "Their pages in the admin say why. Download them there, or mend the storage.",
        )
