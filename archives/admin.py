from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from archives.columns import (
    copied_id,
    expires,
    file_size,
    length,
    moment,
    room_link,
    state,
    transcript,
)
from archives.files_admin import RecordingFiles
from archives.models import Archive
from archives.selected import SelectedArchives
from meetings import attendance
from rooms import related
from rooms.admin import Owner, RoomAdmin
from rooms.models import Room
from rooms.own_rooms import OwnRoomsOnly
from staff.exports import ExportedAdmin
from staff.filters import PeriodFilter
from staff.large_tables import ReadOnly
from staff.page_actions import link_to_copy, page_action
from video import transcripts
from video.archives import RUNNING
from web.layer import content_policy

MAX_INLINE = 20
WEEK = 7 * 86_400


class Created(PeriodFilter):
    title, parameter_name = "created", "created_at"


class OnHold(admin.SimpleListFilter):
    title, parameter_name = "hold", "on_hold"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "On hold")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(held_at__isnull=False) if self.value() == "yes" else queryset


class OfRoom(admin.SimpleListFilter):
    """Of one room, whose page links to it."""

    title, parameter_name = "room", "room"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if not (chosen := self.value()):
            return []
        rooms = admin.site.get_model_admin(Room).get_queryset(request)
        name = rooms.filter(pk=chosen).values_list("name", flat=True).first()
        return [(chosen, name or "unknown")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        return queryset.filter(room=self.value()) if self.value() else queryset


class OwnerOfRoom(Owner):
    title = "owner of the room"

    def of_owner(self, rows: QuerySet[Any], owner: User | None) -> QuerySet[Any]:
        owned = Room.objects.filter(owner=owner)
        if owner is None:  # as most rooms are, which are not to be read first
            return rows.filter(related.is_of_room(owned))
        return related.of_rooms(rows, owned)


@admin.register(Archive)
class ArchiveAdmin(OwnRoomsOnly, ReadOnly, RecordingFiles, SelectedArchives, ExportedAdmin):
    recorded_by_model = {"changed"}
    change_form_template = "admin/archives/archive/change_form.html"
    page_actions: ClassVar[list[str]] = [
        "share",
        "revoke_shares",
        "stop",
        "hold",
        "release",
        "remove",
    ]
    # Any, because the stubs do not know that functions may stand here.
    fieldsets: ClassVar[Any] = [
        (None, {"fields": [room_link, state, copied_id, expires]}),
        ("Recording", {"fields": ["created_at", length, file_size, "reason", "called_back_at"]}),
        ("At OpenTok", {"fields": ["name", "session_id", "updated_at", "details"]}),
    ]
    readonly_fields: ClassVar[Any] = [room_link, state, copied_id, expires, transcript, length,
                                      file_size]  # fmt: skip
    list_display = ["created_at", state, room_link, length, file_size]
    list_filter: ClassVar[Any] = [OfRoom, Created, "status", OwnerOfRoom, OnHold]
    list_select_related = ["room"]
    search_fields = ["id"]
    search_help_text = (
        "Part of the name of a recording or of its room, deleted ones as well; a recording's id; "
        "or a session id."
    )
    searched = "in its name or its room's, or as its id or session id"
    sortable_by: ClassVar[Any] = ["created_at", length, file_size]
    csv_columns: ClassVar[list[str]] = ["Id", "Created", "Status", "Room", "Name", "Seconds",
        "Bytes", "Reason", "Session"]  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Archive | None = None) -> Any:
        """A hold and a transcript only of a recording that has one."""
        (_, first), *others = self.fieldsets
        fields = [*first["fields"]]
        if obj is not None and obj.held_at:
            fields.append("held_at")
        if obj is not None and transcripts.about(obj.details):
            fields.append(transcript)
        return [(None, {"fields": fields}), *others]

    def csv_row(self, row: Archive) -> list[object]:
        return [row.pk, row.created_at, row.status, row.made_in, row.name, row.duration, row.size,
                row.reason, row.session_id]  # fmt: skip

    def refusals(self, row: Archive) -> dict[str, str]:
        """What OpenTok does not take in this state."""
        takes = {
            "share": row.may_have_file and not row.has_gone_unheard,
            "revoke_shares": row.may_have_file,
            "stop": row.status in RUNNING,
            "hold": row.may_have_file and not row.held_at,
            "release": row.held_at,
            "remove": row.is_deletable and not row.held_at,
        }
        words = {name: f"{row.status} by now" for name, is_taken in takes.items() if not is_taken}
        if row.has_gone_unheard and "share" in words:
            words["share"] = "gone, as far as is known"
        if row.held_at and row.is_deletable:
            words["remove"] = "on hold"
        return {
            name: f"The recording is {state}: it was left as it is."
            for name, state in words.items()
        }

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self._row(request, object_id)
        context = dict(extra_context or {})
        if isinstance(row, Archive):
            context |= self.files_of(row) | {"subtitle": f"{row}, {moment(row.created_at)}"}
        if isinstance(row, Archive) and request.user.has_perm("meetings.view_meeting"):
            there = attendance.during(row.session_id, row.created_at, row.ended_at)
            context |= {"may_see_people": True} | attendance.shown(there)
        response = super().change_view(request, object_id, form_url, context)
        # A file lies where OpenTok's storage is, which its link alone says.
        policy = f"{content_policy(request)}; media-src http: https:"
        response.headers["Content-Security-Policy"] = policy
        return response

    @page_action(label="Link to share", permission="archives.change_archive")
    def share(self, request: HttpRequest, row: Archive) -> str:
        share = Archive.objects.share(str(row.pk), lifetime=WEEK)
        link = request.build_absolute_uri(share.path)
        shown = format_html("Copy this link, which is shown once: {}", link_to_copy(link))
        self.message_user(request, shown, messages.INFO)
        return "Made a link to the recording, which is good for a week."

    @page_action(
        label="Revoke links",
        permission="archives.change_archive",
        asks="No link to this recording that was made before works any more.",
    )
    def revoke_shares(self, request: HttpRequest, row: Archive) -> str:
        Archive.objects.revoke_shares(str(row.pk))
        return "Revoked all links to the recording."

    @page_action(label="Stop recording", permission="archives.change_archive")
    def stop(self, request: HttpRequest, row: Archive) -> str:
        Archive.objects.stop(str(row.pk))
        return "Stopped the recording."

    @page_action(
        label="Put on hold",
        permission="archives.hold_archive",
        asks="Nobody deletes its file, and no rule does, until the hold is ended here. It does not "
        "stop OpenTok from deleting it after 72 hours: a storage of your own does.",
    )
    def hold(self, request: HttpRequest, row: Archive) -> str:
        Archive.objects.hold(str(row.pk))
        return "Put the recording on hold."

    @page_action(label="End the hold", permission="archives.hold_archive")
    def release(self, request: HttpRequest, row: Archive) -> str:
        Archive.objects.release(str(row.pk))
        return "Ended the hold of the recording."

    @page_action(
        label="Delete the file",
        permission="archives.delete_archive",
        asks="The file of this recording is gone for good then, also for those with a link to it. "
        "What is known of the recording stays here.",
    )
    def remove(self, request: HttpRequest, row: Archive) -> str:
        Archive.objects.remove(str(row.pk))
        return "Deleted the file of the recording."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Archive], search_term: str
    ) -> tuple[QuerySet[Archive], bool]:
        return queryset & Archive.objects.search(search_term), False


class NewestOnly(BaseInlineFormSet):
    def get_queryset(self) -> Any:
        if not hasattr(self, "_queryset"):
            self._queryset = super().get_queryset()[:MAX_INLINE]
        return self._queryset

    @property
    def list_link(self) -> str:
        """To all of them."""
        return f"{reverse('admin:archives_archive_changelist')}?room={self.instance.pk}"


class ArchiveInline(ReadOnly, admin.TabularInline):
    template = "admin/read_only_inline.html"
    model = Archive
    formset = NewestOnly
    # Any, because the stubs do not know that functions may stand here.
    fields: ClassVar[Any] = ["created_at", state, length, file_size, "reason"]
    readonly_fields: ClassVar[Any] = fields
    show_change_link = True
    verbose_name_plural = f"recordings (the newest {MAX_INLINE})"


# A room's page shows its recordings. It is said here because rooms know nothing of archives.
admin.site.unregister(Room)


@admin.register(Room)
class RoomWithArchivesAdmin(RoomAdmin):
    inlines = [ArchiveInline, *RoomAdmin.inlines]
