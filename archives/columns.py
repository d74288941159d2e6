"""Columns and fields of recordings in the admin."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timeuntil

from archives import storage
from archives.models import Archive
from archives.states import KEPT_BY_OPENTOK, Status
from rooms.admin import link_to
from video import transcripts
from video.archives import RUNNING

TO_KEEP_THEM = "/readme/docs/operations.md#recordings-that-last"

# Of a recording without a file.
NO_FILE: dict[str, str] = {
    Status.STARTED: "made once the recording has ended",
    Status.PAUSED: "made once the recording has ended",
    Status.STOPPED: "being made by OpenTok",
    Status.UPLOADED: "in the storage that is set at OpenTok",
    Status.FAILED: "none, as the recording failed",
    Status.EXPIRED: "gone: OpenTok kept it for 72 hours",
    Status.DELETED: "gone: it was deleted",
}
# States of a transcript, which OpenTok makes after the recording.
TRANSCRIPT_IS = {
    "requested": "made once the recording has ended",
    "started": "being made",
    "uploaded": "in your own storage",
    "failed": "failed",
}


@admin.display(description="Room")
def room_link(archive: Archive) -> str:
    if archive.room is None:
        return archive.room_name or archive.name or "–"
    return link_to(archive.room)


@admin.display(description="Status")
def state(row: Any) -> str:
    badge = format_html('<span class="state {0}">{0}</span>', row.status)
    if getattr(row, "held_at", None):
        badge = format_html('{} <span class="state held">on hold</span>', badge)
    if silent_since := getattr(row, "silent_since", None):
        return format_html("{} no news since {}", badge, moment(silent_since))
    return badge


@admin.display(description="Length", ordering="duration")
def length(archive: Archive) -> str:
    if archive.status in RUNNING:
        return f"{clock(timezone.now() - archive.created_at)} so far"
    return clock(timedelta(seconds=archive.duration)) if archive.duration else "–"


def moment(at: datetime) -> str:
    """In the active time zone."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def clock(span: timedelta) -> str:
    minutes, seconds = divmod(max(int(span.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@admin.display(description="Size", ordering="size")
def file_size(archive: Archive) -> str:
    return str(filesizeformat(archive.size)) if archive.size else "–"


@admin.display(description="File")
def expires(archive: Archive) -> str:
    """When the file is deleted, by OpenTok's documentation: the API does not say."""
    told = archive.storage_state
    is_stored = told and archive.stored_at
    if archive.has_gone_unheard:
        return "gone, as far as is known: OpenTok keeps files for 72 hours"
    if archive.status == Status.EXPIRED and not told and storage.is_set():
        page = reverse("admin:watch", args=[archive.pk])
        look = '{}. <a href="{}">Look for it in your own storage</a>'
        return format_html(look, NO_FILE[Status.EXPIRED], page)
    if archive.status != Status.AVAILABLE or is_stored or not archive.updated_at:
        return told or NO_FILE.get(archive.status, "–")
    ends = archive.updated_at + KEPT_BY_OPENTOK
    if told:
        return f"{told}; OpenTok deletes it in {timeuntil(ends)}"
    return format_html(
        "gone in {}: OpenTok keeps files for 72 hours. Before then, {}, or "
        '<a href="{}">keep recordings for longer</a>.',
        timeuntil(ends),
        "open it and save it from the player’s menu" if archive.is_video else "download it",
        TO_KEEP_THEM,
    )


@admin.display(description="Transcript")
def transcript(archive: Archive) -> str:
    """The last known state of the transcript."""
    told = transcripts.about(archive.details) or {}
    status = str(told.get("status", ""))
    is_at_opentok = status == "available" and archive.status == Status.AVAILABLE
    if is_at_opentok or archive.has_stored_transcript:
        page = reverse("admin:transcript", args=[archive.pk])
        return format_html('<a href="{}">Read it</a>', page)
    if archive.status in {Status.EXPIRED, Status.DELETED}:
        return f"gone: the recording is {archive.status}"
    words = TRANSCRIPT_IS.get(status, "not made yet")
    reason = told.get("reason")
    return f"{words}: {reason}" if reason and isinstance(reason, str) else words


@admin.display(description="Id")
def copied_id(archive: Archive) -> str:
    return format_html('<code class="whole">{}</code>', archive.pk)
