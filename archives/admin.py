from datetime import timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timeuntil
from rest_framework.exceptions import APIException

from archives.models import Archive
from archives.selected import SelectedArchives
from archives.states import KEPT_BY_OPENTOK, Status
from meetings import attendance
from rooms.admin import RoomAdmin, link_to
from rooms.models import Room
from rooms.own_rooms import OwnRoomsOnly
from staff.large_tables import LargeTableAdmin, PeriodFilter, ReadOnly
from staff.page_actions import page_action
from video import ids
from video.archives import RUNNING, download_url
from web.layer import content_policy

MAX_INLINE = 20
DELETABLE = {Status.AVAILABLE, Status.UPLOADED}
GONE = {Status.FAILED, Status.EXPIRED, Status.DELETED}
WEEK = 7 * 86_400
Row = TypeVar("Row", bound=Model)


@admin.display(description="Room")
def room_link(archive: Archive) -> str:
    if archive.room is None:
        return archive.room_name or archive.name or "–"
    return link_to(archive.room)


@admin.display(description="Status")
def state(row: Any) -> str:
    badge = format_html('<span class="state {0}">{0}</span>', row.status)
    if silent_since := getattr(row, "silent_since", None):
        return format_html("{} no news since {}", badge, f"{silent_since:%Y-%m-%d %H:%M}")
    return badge


@admin.display(description="Length")
def length(archive: Archive) -> str:
    if archive.status in RUNNING:
        return f"{_clock(timezone.now() - archive.created_at)} so far"
    return _clock(timedelta(seconds=archive.duration)) if archive.duration else "–"


def _clock(span: timedelta) -> str:
    minutes, seconds = divmod(max(int(span.total_seconds()), 0), 60)
    return f"{minutes}:{seconds:02}"


@admin.display(description="Size")
def file_size(archive: Archive) -> str:
    return str(filesizeformat(archive.size)) if archive.size else "–"


@admin.display(description="File")
def expires(archive: Archive) -> str:
    """OpenTok says nothing of it; its documentation says that files are kept for so long."""
    if archive.status != Status.AVAILABLE or not archive.updated_at:
        return "–"
    ends = archive.updated_at + KEPT_BY_OPENTOK
    return f"gone in {timeuntil(ends)}, unless your own storage is set at OpenTok"


@admin.display(description="Id")
def copied_id(archive: Archive) -> str:
    return format_html('<code class="whole">{}</code>', archive.pk)


def by_id_or_session(rows: QuerySet[Row], search_term: str) -> QuerySet[Row] | None:
    """Those of `rows` with this id or in this session; all for no term, None for another one."""
    term = search_term.strip()
    if not term:
        return rows
    if ids.UUID.fullmatch(term.lower()):
        return rows.filter(pk=term)
    in_session = rows.filter(session_id=term)
    return in_session if ids.SESSION_ID.fullmatch(term) and in_session.exists() else None


class Created(PeriodFilter):
    title, parameter_name = "created", "created_at"


@admin.register(Archive)
class ArchiveAdmin(OwnRoomsOnly, ReadOnly, SelectedArchives, LargeTableAdmin):
    recorded_by_model = {"changed"}
    change_form_template = "admin/archives/archive/change_form.html"
    page_actions: ClassVar[list[str]] = ["share", "revoke_shares", "stop", "remove"]
    # Any, because the stubs do not know that functions may stand here.
    fieldsets: ClassVar[Any] = [
        (None, {"fields": [room_link, state, copied_id, expires]}),
        ("Recording", {"fields": ["created_at", length, file_size, "reason", "called_back_at"]}),
        ("At OpenTok", {"fields": ["name", "session_id", "updated_at", "details"]}),
    ]
    readonly_fields: ClassVar[Any] = [room_link, state, copied_id, expires, length, file_size]
    list_display = ["created_at", state, room_link, length, file_size]
    list_filter = ["status", Created]
    list_select_related = ["room"]
    search_fields = ["id"]
    search_help_text = (
        "A recording's id, a session id, or the beginning of the name of a room, deleted ones as "
        "well (case counts)."
    )
    sortable_by = ["created_at"]

    def get_urls(self) -> Any:
        watch = self.admin_site.admin_view(self.watch)
        return [path("<uuid:archive_id>/watch/", watch, name="watch"), *super().get_urls()]

    def refusals(self, row: Archive) -> dict[str, str]:
        """What OpenTok does not take in this state."""
        takes = {
            "share": row.status not in GONE,
            "stop": row.status in RUNNING,
            "remove": row.status in DELETABLE,
        }
        why = f"The recording is {row.status} by now: it was left as it is."
        return {name: why for name, is_taken in takes.items() if not is_taken}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self._row(request, object_id)
        context = dict(extra_context or {})
        if isinstance(row, Archive) and row.status == Status.AVAILABLE:
            context["watch"] = reverse("admin:watch", args=[row.pk])
        if isinstance(row, Archive) and request.user.has_perm("meetings.view_meeting"):
            there = attendance.during(row.session_id, row.created_at, row.ended_at)
            context |= {"may_see_people": True} | attendance.shown(there)
        response = super().change_view(request, object_id, form_url, context)
        # A file lies where OpenTok's storage is, which its link alone says.
        policy = f"{content_policy(request)}; media-src http: https:"
        response.headers["Content-Security-Policy"] = policy
        return response

    def watch(self, request: HttpRequest, archive_id: UUID) -> HttpResponse:
        """To the file, by a link that OpenTok signed just now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if self.get_object(request, str(archive_id)) is None:
            raise Http404
        try:
            link = download_url(Archive.objects.fetch(str(archive_id)))
        except APIException as error:
            self.message_user(request, str(error.detail), messages.ERROR)
            link = None
        page = reverse("admin:archives_archive_change", args=[archive_id])
        return HttpResponseRedirect(link or page)

    @page_action(label="Link to share", permission="archives.change_archive")
    def share(self, request: HttpRequest, row: Archive) -> str:
        share = Archive.objects.share(str(row.pk), lifetime=WEEK)
        link = request.build_absolute_uri(share.path)
        shown = format_html('Copy this link, which is shown once: <a href="{0}">{0}</a>', link)
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
        label="Delete the file",
        permission="archives.delete_archive",
        asks="The file of this recording is gone for good then, also for those with a link to it. "
        "What is known of the recording stays here.",
    )
    def remove(self, request: HttpRequest, row: Archive) -> str:
        Archive.objects.remove(str(row.pk))
        return "Deleted the file of the recording."

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # The recordings of one room, by an index.
        return lookup == "room__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Archive], search_term: str
    ) -> tuple[QuerySet[Archive], bool]:
        found = by_id_or_session(queryset, search_term)
        if found is None:
            found = queryset & Archive.objects.starting_with(search_term.rstrip())
        return found, False


class NewestOnly(BaseInlineFormSet):
    def get_queryset(self) -> Any:
        if not hasattr(self, "_queryset"):
            self._queryset = super().get_queryset()[:MAX_INLINE]
        return self._queryset


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
