from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from rest_framework.exceptions import APIException

from access import codes
from access.permissions import has_own_rooms_only
from rooms import related
from rooms.admin_fields import OwnerField, TimeSpanField
from rooms.audit_admin import EntryAdmin as EntryAdmin  # registers it
from rooms.changes import columns, record_changes
from rooms.closed_names import ClosedName
from rooms.hours_form import HoursForm
from rooms.models import PastSession, Room
from rooms.names import MAX_LENGTH, composed
from rooms.own_rooms import OwnRoomsOnly
from rooms.policy import MAX_TOKEN_SECONDS, MIN_TOKEN_SECONDS
from rooms.search import starting_with
from staff.exports import ExportedAdmin
from staff.filters import FormFilter, PeriodFilter
from staff.large_tables import ReadOnly
from web.errors import Problem

NAME_CLOSED = (
    "This name was kept closed when its room was deleted. Choose another name, or ask somebody who "
    "may open closed names to open it again."
)


class PastSessionInline(ReadOnly, admin.TabularInline):
    template = "admin/read_only_inline.html"
    model = PastSession
    fields = ["session_id", "replaced_at"]
    readonly_fields = ["session_id", "replaced_at"]


def new_code_help() -> str:
    return (
        "Visitors are asked for it. Empty: it stays as it is. Four digits can be guessed in some "
        f"days, eight random ones cannot, such as {codes.suggested()}, which was made up just now."
    )


class RoomForm(HoursForm):
    """The code goes in as it is told to people, and never comes out again.

    The page sends along what it has shown, so that a page which is older than another person's
    change does not undo it.
    """

    new_code = forms.CharField(
        label="New access code",
        required=False,
        max_length=codes.MAX_LENGTH,
        help_text=lazy(new_code_help, str)(),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )
    remove_code = forms.BooleanField(label="Ask for no access code any more", required=False)
    code_fields = {"new_code", "remove_code"}
    owner = OwnerField(help_text="A user name. Empty: nobody’s.")
    token_lifetime = TimeSpanField(
        least=MIN_TOKEN_SECONDS,
        most=MAX_TOKEN_SECONDS,
        help_text="Hours and minutes that a token is good for, such as “1 h 30 min”. Empty: as "
        "TOKEN_TTL says for every room.",
    )

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for name in self.fields.keys() - self.code_fields:
            shown = self.add_initial_prefix(name)
            was_sent = any(key.startswith(shown) for key in self.data)
            self.fields[name].show_hidden_initial = was_sent or not self.is_bound

    class Media:
        js = ("room_form.js",)

    class Meta:
        widgets = {"notes": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})}


class NewRoomForm(forms.Form):
    name = forms.CharField(
        max_length=MAX_LENGTH, strip=False, widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    e2ee = forms.BooleanField(label="End-to-end encrypted", required=False)


@admin.display(description="Entry")
def entry(room: Room) -> str:
    shut = room.shut(now=timezone.now())
    asked = {
        "a code": room.access_code,
        "a waiting room": room.waiting_room,
        "consent": room.recording_consent,
    }
    named = ", ".join(words for words, is_asked in asked.items() if is_asked)
    how = f" with {named}" if named else ""
    kind = shut.code if shut else "open"
    words = kind.removeprefix("room_").replace("_", " ")
    return format_html('<span class="state {}">{}</span>{}', kind, words, how)


@admin.display(description="Weekly hours")
def weekly_hours(room: Room) -> str:
    """For those who may only look."""
    return f"{room.hours}\n({room.hours_zone})" if room.hours else "–"


@admin.display(description="E2EE", boolean=True)
def encrypted(room: Room) -> bool:
    return room.e2ee


def link_to(room: Room) -> str:
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:rooms_room_change", args=[room.pk]), room
    )


def lock(rooms: QuerySet[Room]) -> list[Room]:
    """Those that are still there. By id, so that no two who do this wait for each other."""
    # PostgreSQL locks no rows of an outer join, such as the list's for the owners.
    return list(rooms.select_related(None).select_for_update().order_by("pk"))


def deletion(rooms: list[Room]) -> dict[str, Any]:
    """What the pages that ask before rooms are deleted have to say."""
    return {
        "title": f"Delete {len(rooms)} rooms?" if len(rooms) > 1 else "Delete this room?",
        "rooms": [(room, entry(room)) for room in rooms],
        "is_restricted": any(room.is_restricted for room in rooms),
        "keys_make_rooms": settings.ROOM_CREATION == "keys",
    }


def may_reopen(user: Any) -> bool:
    """Whether this person may open names that were kept closed. Those belong to no own rooms."""
    return user.has_perm("rooms.delete_closedname") and not has_own_rooms_only(user)


def several(names: list[ClosedName]) -> str:
    return f"The name “{names[0]}” is" if len(names) == 1 else f"{len(names)} names are"


class LastUsed(PeriodFilter):
    title, parameter_name = "last used", "last_used_at"


class OwnerForm(forms.Form):
    name = forms.CharField(label="User name")

    def clean_name(self) -> User:
        if user := User.objects.filter(username=self.cleaned_data["name"]).first():
            return user
        raise forms.ValidationError("There is no user of this name.")


class Owner(FormFilter):
    title, parameter_name = "owner", "owner"
    form_class = OwnerForm

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """None for staff whose list has own rooms alone."""
        if has_own_rooms_only(request.user):
            return []
        return [("me", "Me"), ("nobody", "Nobody")]

    def of_link(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        owners: dict[str, Any] = {"me": self.request.user, "nobody": None}
        return self.of_owner(rows, owners[value]) if value in owners else rows

    def of_form(self, rows: QuerySet[Any], **chosen: Any) -> QuerySet[Any]:
        return self.of_owner(rows, chosen["name"])

    def of_owner(self, rows: QuerySet[Any], owner: User | None) -> QuerySet[Any]:
        return rows.filter(owner=owner)


@admin.register(Room)
class RoomAdmin(OwnRoomsOnly, ExportedAdmin):
    recorded_by_model = {"added", "changed", "deleted"}
    form = RoomForm
    list_display = ["name", entry, "owner", "last_used_at", encrypted]
    list_select_related = ["owner"]
    list_filter: ClassVar[Any] = [LastUsed, Owner, "closed", "e2ee"]
    search_fields = ["name"]
    search_help_text = "Part of a room's name, or a whole session id."
    searched = "in its name, or as its session id, present or past"
    sortable_by = ["name", "last_used_at"]
    csv_columns: ClassVar[list[str]] = ["Name", "Owner", "Closed", "Opens", "Closes", "Access code",
        "Waiting room", "End-to-end encrypted", "Session", "Created", "Last used"]  # fmt: skip
    actions: Any = ["delete_selected"]
    # Any, because the stubs do not know that functions may stand here.
    readonly_fields: ClassVar[Any] = ["name", entry, "session_id", "e2ee", "created_at",
                                      "last_used_at"]  # fmt: skip
    inlines = [PastSessionInline]

    def of_rooms(self, rows: QuerySet[Room], own: QuerySet[Room]) -> QuerySet[Room]:
        return related.among(rows, own)

    def csv_row(self, row: Room) -> list[object]:
        return [row.name, str(row.owner or ""), row.closed, row.opens_at, row.closes_at,
                bool(row.access_code), row.waiting_room, row.e2ee, row.session_id, row.created_at,
                row.last_used_at]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Room | None = None) -> Any:
        own = ["owner"] if has_own_rooms_only(request.user) else []
        return [*super().get_readonly_fields(request, obj), *own]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Not Django's own, which would keep a transaction open while OpenTok is asked."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewRoomForm(request.POST or None)
        if form.is_valid():
            try:
                room = Room.objects.add(
                    owner=request.user, may_reopen=may_reopen(request.user), **form.cleaned_data
                )
            except APIException as error:
                is_closed = isinstance(error, Problem) and error.code == "room_closed"
                form.add_error("name", NAME_CLOSED if is_closed else str(error.detail))
            else:
                self.log_addition(request, room, "Made the room.")
                self.message_user(request, f"Made the room “{room}”.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:rooms_room_change", args=[room.pk]))
        context = self.admin_site.each_context(request) | {
            "title": "New room",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/rooms/room/add_form.html", context)

    def get_fieldsets(self, request: HttpRequest, obj: Room | None = None) -> Any:
        may_change = self.has_change_permission(request, obj)
        hours: list[Any] = ["hours", "hours_zone", "new_code"] if may_change else [weekly_hours]
        if may_change and obj and obj.access_code:
            hours.append("remove_code")
        return [
            (None, {"fields": ["name", entry, "owner", "notes"]}),
            (
                "Who gets in",
                {
                    "description": f"Times are in {timezone.get_current_timezone()}.",
                    "fields": [
                        "closed",
                        "opens_at",
                        "closes_at",
                        *hours,
                        "waiting_room",
                        "recording_consent",
                    ],
                },
            ),
            ("Recording", {"fields": ["record_meetings", "recording_days"]}),
            ("Limits", {"fields": ["max_participants", "max_meeting_minutes"]}),
            ("Tokens", {"fields": ["token_role", "token_lifetime"]}),
            ("Session", {"fields": ["session_id", "e2ee", "created_at", "last_used_at"]}),
        ]

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        """What was changed and no more: the room may have got another session meanwhile."""
        changed = set(form.changed_data)
        if changed & RoomForm.code_fields:
            removed = form.cleaned_data["remove_code"]
            obj.set_code("" if removed else form.cleaned_data["new_code"])
            changed = changed - RoomForm.code_fields | {"access_code"}
        if changed & RoomForm.hours_fields:
            obj.weekly_hours = form.cleaned_data["weekly_hours"]
            changed = changed - RoomForm.hours_fields | {"weekly_hours"}
        before = columns(Room.objects.get(pk=obj.pk), changed)
        obj.save(update_fields=changed)
        record_changes(obj, before)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Room], search_term: str
    ) -> tuple[QuerySet[Room], bool]:
        if not search_term:
            return queryset, False
        return queryset & Room.objects.search(search_term), False

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> Any:
        return super().render_delete_form(request, context | deletion([context["object"]]))

    @admin.action(description="Delete", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Room]) -> Any:
        """Django's own, in one transaction: what it logs is what it deletes."""
        with transaction.atomic():
            if "post" in request.POST:
                lock(queryset)
            page: Any = delete_selected(self, request, queryset)
        if page:
            page.context_data |= deletion(list(queryset))
        return page

    def delete_model(self, request: HttpRequest, obj: Room) -> None:
        self.delete_queryset(request, Room.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        """Locked, as something is recorded in them, or they get a session, at the same time."""
        rooms = lock(queryset)
        if not rooms:
            raise Problem("room_not_found")  # another request has just deleted it
        closed = Room.objects.remove(rooms, keep_closed="keep_closed" in request.POST)
        for name in closed:
            self.log_change(request, name, "Kept the name closed.")
        if closed:
            self.message_user(request, f"{several(closed)} kept closed.", messages.SUCCESS)


@admin.register(ClosedName)
class ClosedNameAdmin(OwnRoomsOnly, ReadOnly, ExportedAdmin):
    recorded_by_model = {"changed"}
    list_display = ["name", "closed_at"]
    search_fields = ["name"]
    search_help_text = "The beginning of a name (case counts)."
    searched = "at its beginning"
    csv_columns: ClassVar[list[str]] = ["Name", "Closed"]
    sortable_by = ["name", "closed_at"]
    actions = ["open_again"]

    def of_rooms(self, rows: QuerySet[ClosedName], own: QuerySet[Room]) -> QuerySet[ClosedName]:
        """Nobody owns a name that has no room."""
        return rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the list is offered."""
        return not has_own_rooms_only(request.user) and super().has_module_permission(request)

    def csv_row(self, row: ClosedName) -> list[object]:
        return [row.name, row.closed_at]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ClosedName], search_term: str
    ) -> tuple[QuerySet[ClosedName], bool]:
        if not search_term:
            return queryset, False
        return starting_with(queryset, composed(search_term)), False

    def has_open_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("rooms.delete_closedname")

    @admin.action(description="Open again", permissions=["open"])
    def open_again(self, request: HttpRequest, queryset: QuerySet[ClosedName]) -> None:
        with transaction.atomic():
            names = list(queryset.select_for_update().order_by("pk"))
            for name in names:
                self.log_change(request, name, "Opened the name again.")
            ClosedName.objects.open_again(names)
        told = f"{several(names)} open again: asking for such a room makes it."
        self.message_user(request, told, messages.SUCCESS)
