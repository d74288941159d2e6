"""The admin's page that shows, exports and forgets what is held about a person."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache

from access.permissions import has_own_rooms_only
from meetings.models import MAX_DATA
from ops.persons import Held, export, find, forget, show

SHOWN = 20
MOST_NAMES = 50
# The kinds of rows, in words, and what forgetting does to them.
KINDS = {
    "account": ("Accounts of staff", "stay: they are deleted in the list of users."),
    "connections": (
        "Connections to rooms",
        "lose the data of the token. Those to a room in which the person is now stay as they are.",
    ),
    "streams": ("Streams", "lose the name, once the person has left."),
    "guests": ("Guests of waiting rooms", "are deleted."),
    "bans": ("Bans", "lose the name and stay in force, by the identity."),
    "events": ("Events for webhooks", "are deleted. Systems that were told keep what they got."),
    "acts": (
        "Entries of the audit log",
        "lose the name. What staff and API keys did stays as it is.",
    ),
}


class PersonForm(forms.Form):
    # Sent by POST, since URLs are in logs.
    person = forms.CharField(
        label="Name or identity",
        max_length=MAX_DATA,
        strip=False,
        validators=[RegexValidator(r"\S", "Name the person.")],
        widget=forms.TextInput({"autocomplete": "off", "class": "vTextField"}),
        help_text="As it is in the data of their token, or as they call themselves in rooms. Case "
        "counts. Of staff, the user name.",
    )


def may_forget(user: Any) -> bool:
    """Not staff who work with own rooms only, since the data is of all rooms."""
    return user.has_perm("meetings.forget_person") and not has_own_rooms_only(user)


@never_cache
def page(request: HttpRequest) -> HttpResponse:
    if not may_forget(request.user):
        raise PermissionDenied
    form = PersonForm(request.POST or None)
    if not form.is_valid():
        return _show(request, form)
    person = form.cleaned_data["person"]
    held = find(person)
    others = {"other_names": sorted(held.other_names)[:MOST_NAMES]}
    if "export" in request.POST:
        told, layout = export(held), {"indent": 2, "ensure_ascii": False}
        attached = {"Content-Disposition": 'attachment; filename="person.json"'}
        return JsonResponse(told, json_dumps_params=layout, headers=attached)
    if "forget" in request.POST:
        count = sum(forget(held).values())
        messages.success(request, f"Forgot the person in {count:,} rows.")
        # No redirect: the database has no link to the other names any more.
        return _show(request, PersonForm(), **others)
    return _show(request, form, person=person, **others, **_found(held))


def _found(held: Held) -> dict[str, Any]:
    counts, rows = held.counts(), show(held, SHOWN)
    kinds = [
        {
            "title": title,
            "then": then,
            "count": counts[name],
            "columns": [column.replace("__", " ").replace("_", " ") for column in rows[name][0]],
            "rows": [list(row.values()) for row in rows[name]],
        }
        for name, (title, then) in KINDS.items()
        if rows[name]
    ]
    return {"kinds": kinds, "can_forget": any(counts[name] for name in counts if name != "account")}


def _show(request: HttpRequest, form: PersonForm, **told: Any) -> HttpResponse:
    context = admin.site.each_context(request) | {"title": "A person’s data", "form": form}
    return TemplateResponse(request, "admin/person.html", context | told)
