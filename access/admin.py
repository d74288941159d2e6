from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from access.capabilities import Capability
from access.login import LoginForm
from access.models import ApiKey
from staff.kept_spaces import KeepsSpaces
from staff.offered import OfferedOnly
from staff.page_actions import page_action
from staff.selected import SelectedPageActions
from staff.shown_once import ShownOnce

MAX_REVOKED = 50
FOR_GOOD = "Programs with such a key are refused from then on. There is no way back."

admin.site.login_form = LoginForm

# django-allauth's pages, of single sign-on: variables say all that could be set there.
for model in [*admin.site._registry]:
    if model._meta.app_label in {"account", "socialaccount"}:
        admin.site.unregister(model)


def open_to_all() -> str:
    words = [word for word in Capability if word in settings.ANONYMOUS_ACCESS]
    return f"Without a key all clients may: {', '.join(words) or 'nothing'} (ANONYMOUS_ACCESS)"


class ApiKeyForm(forms.ModelForm):
    capabilities = forms.MultipleChoiceField(
        label="It may", choices=Capability.choices, widget=forms.CheckboxSelectMultiple
    )


@admin.display(description="It may")
def capabilities(key: ApiKey) -> str:
    return ", ".join(key.capabilities)


@admin.display(description="State")
def state(key: ApiKey) -> str:
    return format_html('<span class="state {0}">{0}</span>', key.state)


@admin.register(ApiKey)
class ApiKeyAdmin(KeepsSpaces, ShownOnce, SelectedPageActions, OfferedOnly):
    keeps_spaces: ClassVar[set[str]] = {"room_prefix"}
    recorded_by_model = {"added", "changed"}
    form = ApiKeyForm
    list_display = ["name", state, capabilities, "room_prefix", "prefix", "last_used_at",
                    "expires_at"]  # fmt: skip
    # Any, because the stubs do not know that functions may stand here.
    readonly_fields: ClassVar[Any] = ["prefix", state, "created_at", "last_used_at", "revoked_at"]
    search_fields = ["name", "prefix"]
    sortable_by = ["name", "last_used_at", "expires_at"]
    actions = ["revoke_selected"]
    page_actions: ClassVar[list[str]] = ["revoke"]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"subtitle": open_to_all()})

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        chosen = ["name", "capabilities", "room_prefix", "expires_at"]
        return [*chosen, *self.readonly_fields] if obj else chosen

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save_changes(form.changed_data)
        else:
            obj.issue()

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.show(
            request,
            obj,
            template="admin/access/apikey/issued.html",
            title="The new API key",
            then=reverse("admin:access_apikey_changelist"),
        )

    def refusals(self, row: ApiKey) -> dict[str, str]:
        return {"revoke": "The key was revoked before."} if row.revoked_at else {}

    @page_action(label="Revoke for good", permission="access.change_apikey", asks=FOR_GOOD)
    def revoke(self, request: HttpRequest, key: ApiKey) -> str:
        key.revoke()
        return "Revoked the key."

    @admin.action(description="Revoke for good", permissions=["change"])
    def revoke_selected(
        self, request: HttpRequest, queryset: QuerySet[ApiKey]
    ) -> HttpResponse | None:
        return self.do_page_action(request, queryset, "revoke", asks=FOR_GOOD, most=MAX_REVOKED)
