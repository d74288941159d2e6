"""Webhooks and their deliveries in the admin."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html
from rest_framework.exceptions import APIException

from access.permissions import has_own_rooms_only
from staff.kept_spaces import KeepsSpaces
from staff.large_tables import LargeTableAdmin, ReadOnly
from staff.offered import OfferedOnly
from staff.page_actions import PageActions, page_action
from staff.shown_once import ShownOnce
from webhooks.addresses import place_of
from webhooks.deliveries import Delivery, State
from webhooks.endpoints import Endpoint
from webhooks.events import EVENTS

GROUPS = sorted({f"{event.partition('.')[0]}.*" for event in EVENTS})


class EndpointForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        choices=[(each, each) for each in [*GROUPS, *EVENTS]],
        widget=forms.CheckboxSelectMultiple,
        help_text="With a star: all of that kind.",
    )

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        field: Any = self.fields.get("events")
        if field:  # a program may have chosen others
            others = [each for each in self.instance.events if each not in dict(field.choices)]
            field.choices = [*field.choices, *((each, each) for each in others)]

    def clean_url(self) -> str:
        try:
            place_of(self.cleaned_data["url"])
        except APIException as error:
            raise ValidationError(str(error.detail)) from None
        return str(self.cleaned_data["url"])


@admin.display(description="Events")
def events(endpoint: Endpoint) -> str:
    return ", ".join(endpoint.events)


@admin.display(description="Rooms")
def rooms(endpoint: Endpoint) -> str:
    return f"{endpoint.room_prefix}…" if endpoint.room_prefix else "all"


@admin.display(description="Trouble")
def trouble(endpoint: Endpoint) -> str:
    """One column for both moments, since two do not fit."""
    if endpoint.switched_off_at:
        return f"Switched off {localize(timezone.localtime(endpoint.switched_off_at))}"
    if endpoint.failing_since:
        return f"Failing since {localize(timezone.localtime(endpoint.failing_since))}"
    return "–"


@admin.display(description="Deliveries")
def deliveries(endpoint: Endpoint) -> str:
    page = reverse("admin:webhooks_delivery_changelist")
    return format_html('<a href="{}?endpoint__id__exact={}">What was sent</a>', page, endpoint.pk)


def sent_again(count: int) -> str:
    return "1 event is sent again." if count == 1 else f"{count or 'No'} events are sent again."


class NotForOwnRooms(admin.ModelAdmin):
    """Hidden from staff who work with own rooms only, since events are about all rooms."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not has_own_rooms_only(request.user) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not has_own_rooms_only(request.user) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not has_own_rooms_only(request.user) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not has_own_rooms_only(request.user) and super().has_delete_permission(request, obj)


@admin.register(Endpoint)
class EndpointAdmin(KeepsSpaces, ShownOnce, NotForOwnRooms, PageActions, OfferedOnly):
    keeps_spaces: ClassVar[set[str]] = {"room_prefix"}
    recorded_by_model = {"added", "changed", "deleted"}
    form = EndpointForm
    list_display = ["url", events, rooms, "is_active", trouble, deliveries]
    list_filter = ["is_active"]
    fields: ClassVar[Any] = ["url", "events", "room_prefix", "is_active"]
    sortable_by = ()
    page_actions: ClassVar[list[str]] = ["ping", "send_failed_again", "renew_secret"]

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        shown = ["owner", "api_key", "created_at", "failing_since", "switched_off_at", deliveries]
        return shown if obj else []

    def get_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        return [*self.fields, *self.get_readonly_fields(request, obj)]

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        if change:
            obj.change(**{name: getattr(obj, name) for name in form.changed_data})
        else:
            user: Any = request.user
            obj.owner = user
            obj.add()

    def delete_model(self, request: HttpRequest, obj: Endpoint) -> None:
        obj.remove()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for endpoint in queryset:
            endpoint.remove()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Without the deliveries, of which there may be very many."""
        missing = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return [str(each) for each in objs], {self.opts.verbose_name_plural: len(objs)}, missing, []

    def response_add(
        self, request: HttpRequest, obj: Endpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._secret(request, obj)

    def refusals(self, row: Endpoint) -> dict[str, str]:
        failed = Delivery.objects.filter(endpoint=row, state=State.FAILED)
        return {} if failed.exists() else {"send_failed_again": "No event was given up."}

    @page_action(label="Send a ping", permission="webhooks.change_endpoint")
    def ping(self, request: HttpRequest, endpoint: Endpoint) -> str:
        Delivery.objects.ping(endpoint)
        return "A ping is on its way. “What was sent” has what becomes of it."

    @page_action(
        label="Send what failed again",
        permission="webhooks.change_endpoint",
        asks="All events that were given up are sent again, in their order.",
    )
    def send_failed_again(self, request: HttpRequest, endpoint: Endpoint) -> str:
        failed = Delivery.objects.filter(endpoint=endpoint, state=State.FAILED)
        return sent_again(Delivery.objects.send_again(failed).sent)

    @page_action(
        label="New secret",
        permission="webhooks.change_endpoint",
        asks="What is sent from now on is signed with a new secret. The old one is gone.",
    )
    def renew_secret(self, request: HttpRequest, endpoint: Endpoint) -> str:
        endpoint.renew_secret()
        return "Gave it a new secret."

    def act(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        response: HttpResponse = super().act(request, object_id, name)
        row: Any = self._row(request, object_id)
        is_new = name == "renew_secret" and request.method == "POST"
        is_done = is_new and response.status_code == 302 and row
        return self._secret(request, row) if is_done else response

    def _secret(self, request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
        return self.show(
            request,
            endpoint,
            template="admin/webhooks/endpoint/secret.html",
            title="The secret of the webhook",
            then=reverse("admin:webhooks_endpoint_change", args=[endpoint.pk]),
        )


@admin.display(description="Answer")
def answer(delivery: Delivery) -> str:
    return f"{delivery.status or ''} {delivery.answer}".strip()[:100] or "–"


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, NotForOwnRooms, LargeTableAdmin):
    list_display = ["created_at", "event", "room_name", "endpoint", "state", answer]
    list_filter = ["state", "endpoint"]
    list_select_related = ["endpoint"]
    ordering = ["-created_at", "-id"]
    sortable_by = ()
    fields: ClassVar[Any] = [
        "event", "room_name", "endpoint", "state", "created_at", "delivered_at", "attempts",
        "next_try_at", "status", "answer", "milliseconds", "payload",
    ]  # fmt: skip
    readonly_fields = fields
    actions = ["send_again"]

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_endpoint")

    @admin.action(description="Send again", permissions=["send_again"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        count, _ = Delivery.objects.send_again(queryset)
        self.message_user(request, sent_again(count), messages.SUCCESS)
