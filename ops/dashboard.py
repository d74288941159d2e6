"""The first page of the admin: what happens now, and the use of rooms.

Each part needs the permission to view its rows. Staff who work with their own rooms only are told
of what happens in those. static/dashboard.js reloads the parts.
"""

from operator import attrgetter
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse

from access import second_factor_pages
from access.permissions import has_own_rooms_only
from access.second_factor import half_user_of
from archives.models import Archive
from meetings.models import Meeting
from meetings.use import Use, by_day, by_hour
from ops import deletions, overview, person_page
from ops.charts import chart
from ops.recent_calls import recent_calls
from rooms import related
from rooms.own_rooms import own_rooms
from rooms.presence import is_reported
from web.version import VERSION

PEOPLE, MINUTES = attrgetter("people"), attrgetter("minutes")


class Site(AdminSite):
    def get_urls(self) -> Any:
        view = self.admin_view
        return [
            path("dashboard/now/", view(self.now), name="dashboard_now"),
            path("dashboard/use/", view(self.use), name="dashboard_use"),
            path("deletions/", view(deletions.page), name="deletions"),
            path("person/", view(person_page.page), name="person"),
            *(second_factor_pages.urls() if settings.SECOND_FACTOR != "off" else []),
            *super().get_urls(),
        ]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """With our own pages, which have no model."""
        listed = super().get_app_list(request, app_label)
        if app_label:
            return listed
        return sorted([*listed, *_own_pages(request.user)], key=lambda app: app["name"].lower())

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"version": VERSION}

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().login(request, extra_context)
        shows_form = request.method == "POST" and response.status_code != 302
        if not shows_form and half_user_of(request):
            return second_factor_pages.to("second_factor_code", request)
        return response

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        context = now(request) | use(request) | dict(extra_context or {})
        return super().index(request, context)

    def now(self, request: HttpRequest) -> TemplateResponse:
        return TemplateResponse(request, "admin/dashboard/now.html", now(request))

    def use(self, request: HttpRequest) -> TemplateResponse:
        return TemplateResponse(request, "admin/dashboard/use.html", use(request))


def _own_pages(user: Any) -> list[dict[str, Any]]:
    """The pages that this user may see, as an app of Django's list."""
    pages = [
        {"name": name, "object_name": page, "admin_url": reverse(f"admin:{page}"),
         "view_only": True}
        for name, page, is_seen in (
            ("A person’s data", "person", person_page.may_forget(user)),
            ("What is deleted when", "deletions", bool(deletions.rules_for(user))),
        )
        if is_seen
    ]  # fmt: skip
    if not pages:
        return []
    first = pages[0]["admin_url"]
    return [{"name": "Data protection", "app_label": "data", "app_url": first, "models": pages}]


def now(request: HttpRequest) -> dict[str, Any]:
    """The context of templates/admin/dashboard/now.html."""
    user = request.user
    shown: dict[str, Any] = {}
    own = own_rooms(user) if has_own_rooms_only(user) else None
    if user.has_perm("rooms.view_room"):
        meetings = Meeting.objects.all()
        if own is not None:
            meetings = related.of_sessions(meetings, own)
        shown |= {"live": overview.live_rooms(meetings), "people": overview.people_now(meetings)}
    if user.has_perm("archives.view_archive"):
        recordings = Archive.objects.all()
        if own is not None:
            recordings = related.of_rooms(recordings, own)
        shown |= {
            "recordings": overview.running_recordings(recordings),
            "failed": overview.failed_today(recordings),
            "going": overview.going_soon(recordings),
        }
    if shown:
        shown |= {"shows_now": True, "has_callbacks": bool(settings.CALLBACK_SECRET),
                  "is_reported": is_reported()}  # fmt: skip
        if own is None:  # calls are of all rooms
            shown |= {"shows_calls": True, "calls": recent_calls()}
    return shown


def use(request: HttpRequest) -> dict[str, Any]:
    """The context of templates/admin/dashboard/use.html."""
    if has_own_rooms_only(request.user) or not request.user.has_perm("meetings.view_meeting"):
        return {}
    return {
        "periods": [
            _period("hours", "Last 24 hours", by_hour(), form="%H:%M", every=6),
            _period("days", "Last 30 days", by_day(), form="%m-%d", every=7),
        ]
    }


def _period(name: str, title: str, found: list[Use], *, form: str, every: int) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "form": "Y-m-d H:i" if name == "hours" else "Y-m-d",
        "rows": found[::-1],
        "is_empty": not any(each.meetings for each in found),
        "charts": [
            chart(f"{name}-people", "People", found, PEOPLE, form=form, every=every),
            chart(f"{name}-minutes", "Person-minutes", found, MINUTES, form=form, every=every),
        ],
    }
