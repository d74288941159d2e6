"""The audit log in the admin."""

import json
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from audit.actors import ActorKind
from audit.models import COLUMNS, Entry, kind_of
from rooms.models import Room
from rooms.names import composed
from rooms.own_rooms import OwnRoomsOnly
from rooms.search import all_of, found, starting_with
from staff.exports import ExportedAdmin
from staff.filters import PeriodFilter
from staff.large_tables import ReadOnly
from video import ids

# Columns with an index, and what the page calls them.
LOOKUPS = {"actor_name": "by", "subject_id": "of", "room_name": "in the room"}


class At(PeriodFilter):
    title, parameter_name = "time", "at"


@admin.display(description="Who")
def who(entry: Entry) -> str:
    """The name, with a link to all its entries, the kind unless it is staff, and the address."""
    name: str = entry.get_actor_kind_display()
    if entry.actor_name:
        found = urlencode({"actor_name": entry.actor_name})
        link = format_html('<a href="?{}">{}</a>', found, entry.actor_name)
        is_staff = entry.actor_kind == ActorKind.STAFF
        name = link if is_staff else format_html("{} ({})", link, name)
    if not entry.address:
        return name
    return format_html('{} <span class="from">{}</span>', name, entry.address)


@admin.display(description="Subject")
def subject(entry: Entry) -> str:
    """The subject, with a link to its page, if its model has one."""
    address = _addresses().get(entry.subject_kind)
    if not (address and entry.subject_id):
        return entry.subject_name or "–"
    link = reverse(f"admin:{address}_change", args=[entry.subject_id])
    return format_html('<a href="{}">{}</a>', link, entry.subject_name)


@admin.display(description="Details")
def details(entry: Entry) -> str:
    return format_html("<pre>{}</pre>", json.dumps(entry.details, indent=2, ensure_ascii=False))


def _addresses() -> dict[str, str]:
    """The names of the admin's URLs for models, by kind."""
    models = [model._meta for model in admin.site._registry]
    return {kind_of(meta.model): f"{meta.app_label}_{meta.model_name}" for meta in models}


@admin.register(Entry)
class EntryAdmin(OwnRoomsOnly, ReadOnly, ExportedAdmin):
    change_list_template = "admin/audit/entry/change_list.html"
    list_display = ["at", who, "what", subject, "room_name"]
    list_filter = [At]
    search_fields = ["actor_name"]
    search_help_text = (
        "The whole name of a person or a key, the beginning of a room's name (case counts), or the "
        "id of a recording."
    )
    searched = (
        "as the name of who did it, at the beginning of its room's name, or as a recording's id"
    )
    sortable_by = ["at"]
    csv_columns = COLUMNS
    unrecorded: ClassVar[Any] = [SEARCH_VAR, "actor_name"]
    # Any, because the stubs do not know that functions may stand here.
    fields: ClassVar[Any] = ["at", "actor_kind", "actor_name", "actor_id", "address", "what",
                             "subject_kind", subject, "subject_id", "room_name",
                             details]  # fmt: skip
    readonly_fields: ClassVar[Any] = fields

    def of_rooms(self, rows: QuerySet[Entry], own: QuerySet[Room]) -> QuerySet[Entry]:
        """Entries since the room was made, since an earlier room may have had its name."""
        there = own.filter(name=OuterRef("room_name"), created_at__lte=OuterRef("at"))
        in_each = Exists(there)
        # The names as well, so that databases use their index.
        named = all_of(rows).filter(in_each, room_name__in=own.values("name"))
        return found(rows, named, in_each=in_each)

    def csv_row(self, row: Entry) -> list[object]:
        return row.as_row()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        chosen = [
            f"{LOOKUPS[name]} “{request.GET[name]}”" for name in LOOKUPS if name in request.GET
        ]
        return super().changelist_view(request, {"chosen": " ".join(chosen)})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        is_once = not request or len(request.GET.getlist(lookup)) == 1
        return (lookup in LOOKUPS and is_once) or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        term = composed(search_term.strip())
        if not term:
            return queryset, False
        if ids.UUID.fullmatch(term.lower()):
            return queryset.filter(subject_id=term.lower()), False
        by_person = queryset.filter(actor_name=term)
        if by_person.exists():
            return by_person, False
        return starting_with(queryset, term, "-at", "-id", column="room_name"), False
