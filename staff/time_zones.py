"""The time zone of the admin: a user's own, or TIME_ZONE."""

from datetime import tzinfo
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from staff.models import TimeZone
from web import zones


def zone_for(user: Any) -> tzinfo:
    own = TimeZone.objects.filter(user=user).first() if user.is_authenticated else None
    try:
        return zones.zone_of(own.name) if own else settings.LOCAL_TIME_ZONE
    except ValueError:  # a name that this machine no longer has
        return settings.LOCAL_TIME_ZONE


class TimeZoneForm(forms.Form):
    name = forms.ChoiceField(label="Time zone", required=False)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        everybody = f"As for everybody ({settings.LOCAL_TIME_ZONE})"
        self.fields["name"].choices = [("", everybody), *zones.choices()]  # type: ignore[attr-defined]


def choose(request: HttpRequest) -> HttpResponse:
    """The page on which users choose their own."""
    user: Any = request.user
    own = TimeZone.objects.filter(user=user)
    initial = {"name": own.values_list("name", flat=True).first() or ""}
    form = TimeZoneForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        if name := form.cleaned_data["name"]:
            TimeZone.objects.update_or_create(user=user, defaults={"name": name})
        else:
            own.delete()
        messages.success(request, f"Times are in {name or settings.LOCAL_TIME_ZONE} for you now.")
        return HttpResponseRedirect(reverse("admin:index"))
    named = {"title": "Your time zone", "form": form, "now": timezone.now()}
    context = admin.site.each_context(request) | named
    return TemplateResponse(request, "admin/time_zone.html", context)
