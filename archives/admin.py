from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.db.models import Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html

from archives.models import Archive
from rooms.admin import RoomAdmin
from rooms.models import Room
from staff.large_tables import LargeTableAdmin, PeriodFilter, ReadOnly
from video import ids

MAX_INLINE = 20
Row = TypeVar("Row", bound=Model)


@admin.display(description="Room")
def room_link(archive: Archive) -> str:
    if archive.room is None:
        return archive.room_name or archive.name or "–"
    url = reverse(admin_urlname(Room._meta, "change"), args=[archive.room.pk])  # type: ignore[arg-type]
    return format_html('<a href="{}">{}</a>', url, archive.room)


@admin.display(description="Status")
def state(row: Any) -> str:
    return format_html('<span class="state {0}">{0}</span>', row.status)


@admin.display(description="Length")
def length(archive: Archive) -> str:
    minutes, seconds = divmod(archive.duration, 60)
    return f"{minutes}:{seconds:02}" if archive.duration else "–"


@admin.display(description="Size")
def file_size(archive: Archive) -> str:
    return str(filesizeformat(archive.size)) if archive.size else "–"


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
class ArchiveAdmin(ReadOnly, LargeTableAdmin):
    list_display = ["created_at", state, room_link, length, file_size]
    list_filter = ["status", Created]
    list_select_related = ["room"]
    search_fields = ["id"]
    search_help_text = (
        "A recording's id, a session id, or the beginning of the name of a room, deleted ones as "
        "well (case counts)."
    )
    sortable_by = ["created_at"]

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
