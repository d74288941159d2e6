"""A room's page in the admin as a console: who is in it now, and what staff do about that."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import APIException

from archives.admin import RoomWithArchivesAdmin
from archives.models import Archive
from live.models import Activity
from live.stopping import stop_all
from rooms.guests import Guest
from rooms.invitations import invite, revoke_all
from rooms.models import Role, Room
from rooms.paths import path_to
from staff.page_actions import PageActions, page_action
from video import connections, moderation, streams
from web.errors import Problem

WEEK = 7 * 86_400
LEAVES = "Everybody in the room is disconnected, and recordings and all else that runs in it stop. "

# Rooms know nothing of what runs in them, so that it is said here.
admin.site.unregister(Room)


@admin.register(Room)
class RoomConsoleAdmin(PageActions, RoomWithArchivesAdmin):
    change_form_template = "admin/rooms/room/change_form.html"
    page_actions: ClassVar[list[str]] = [
        "invite_moderator", "invite_guest", "revoke_invitations", "start_recording", "mute_all",
        "stop_everything", "close_room",
    ]  # fmt: skip

    class Media:
        js = ("console.js",)

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/people/", view(never_cache(self.people)), name="rooms_room_people"),
            path("<int:pk>/people/<slug:what>/<str:which>/", view(self.moderate)),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self._row(request, object_id)
        context = dict(extra_context or {})
        if isinstance(row, Room):
            context["people"] = reverse("admin:rooms_room_people", args=[row.pk])
            context["join"] = request.build_absolute_uri(path_to("join", row.name))
            context["may_moderate"] = self.has_change_permission(request)
        return super().change_view(request, object_id, form_url, context)

    def people(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Who is in the room now, what is published, what runs, and who waits, as JSON."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        room = self._room(request, pk)
        try:
            told = {
                "connections": [
                    {"id": each["connectionId"], "since": each.get("createdAt")}
                    for each in connections.list_connections(room.session_id)
                ],
                "streams": [
                    {
                        "id": each["id"],
                        "name": each.get("name") or "No name",
                        "kind": each.get("videoType") or "camera",
                    }
                    for each in streams.list_streams(room.session_id)
                ],
            }
        except APIException as error:
            return JsonResponse({"problem": str(error.detail)})
        running = Activity.objects.running(room.session_id).values_list("kind", flat=True)
        recordings = Archive.objects.filter(session_id=room.session_id, status="started")
        guests = [
            {"id": str(guest.pk), "name": guest.name} for guest in Guest.objects.waiting(room)
        ]
        what = ["recording"] * recordings.count() + [kind.replace("_", " ") for kind in running]
        return JsonResponse(told | {"running": what, "guests": guests})

    def moderate(self, request: HttpRequest, pk: int, what: str, which: str) -> JsonResponse:
        """POST: `remove` a connection, `mute` a stream, `admit` or `refuse` a guest."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return JsonResponse({"problem": "Only POST does something."}, status=405)
        room = self._room(request, pk)
        try:
            done = _moderated(room, what, which)
        except APIException as error:
            return JsonResponse({"problem": str(error.detail)})
        self.log_change(request, room, done)
        return JsonResponse({"done": done})

    @page_action(label="Link for a moderator", permission="change")
    def invite_moderator(self, request: HttpRequest, room: Room) -> str:
        return self._invite(request, room, Role.MODERATOR)

    @page_action(label="Link for a guest", permission="change")
    def invite_guest(self, request: HttpRequest, room: Room) -> str:
        return self._invite(request, room, Role.PUBLISHER)

    @page_action(
        label="Revoke all links",
        permission="change",
        asks="No link that was made before lets anybody in. Who has joined by one stays.",
    )
    def revoke_invitations(self, request: HttpRequest, room: Room) -> str:
        revoke_all(room)
        return "Revoked all links into the room."

    @page_action(label="Start recording", permission="change")
    def start_recording(self, request: HttpRequest, room: Room) -> str:
        Archive.objects.start(room.session_id)
        return "Started a recording."

    @page_action(label="Mute all", permission="change", asks="Everybody is muted. They can unmute.")
    def mute_all(self, request: HttpRequest, room: Room) -> str:
        moderation.mute_all(room.session_id)
        # Else all who join from now on would be muted as well.
        moderation.unmute_all(room.session_id)
        return "Muted everybody."

    @page_action(label="Stop everything", permission="change", asks=f"{LEAVES}They can come back.")
    def stop_everything(self, request: HttpRequest, room: Room) -> str:
        return self._stopped(request, room)

    @page_action(
        label="Close and disconnect",
        permission="change",
        asks=f"{LEAVES}Nobody can join until the room is opened again, under “Who gets in”.",
    )
    def close_room(self, request: HttpRequest, room: Room) -> str:
        room.change_policy(closed=True)
        return "Closed the room. " + self._stopped(request, room)

    def _invite(self, request: HttpRequest, room: Room, role: Role) -> str:
        page = request.build_absolute_uri(path_to("join", room.name))
        link = f"{page}#{invite(room, role=role, lifetime=WEEK).signed()}"
        shown = format_html('Copy this link: <a href="{0}">{0}</a>', link)
        self.message_user(request, shown, messages.INFO)
        return f"Made a link for a {role.label.lower()}, which is good for a week."

    def _stopped(self, request: HttpRequest, room: Room) -> str:
        report = stop_all(room)
        for failure in report["failed"]:
            self.message_user(request, failure["detail"], messages.ERROR)
        people = sum(each["kind"] == "connection" for each in report["ended"])
        others = len(report["ended"]) - people
        return f"Disconnected {people}, and stopped {others} that ran in the room."

    def _room(self, request: HttpRequest, pk: int) -> Room:
        try:
            room: Room = self.get_queryset(request).get(pk=pk)
        except (Room.DoesNotExist, OverflowError):
            raise Http404 from None
        return room


def _moderated(room: Room, what: str, which: str) -> str:
    if what == "remove":
        moderation.disconnect(room.session_id, which)
        Guest.objects.end_removed(room, which)
        return "Removed somebody from the room."
    if what == "mute":
        moderation.mute_stream(room.session_id, which)
        return "Muted somebody in the room."
    if what in {"admit", "refuse"}:
        try:
            guest = Guest.objects.decide(room, UUID(which), admit=what == "admit")
        except ValueError:
            raise Problem("guest_not_found") from None
        return f"Let {guest} in." if what == "admit" else f"Turned {guest} away."
    raise Http404
