"""A room's page in the admin as a console: who is in it now, and what staff do about that."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import APIException

from access.capabilities import Capability
from archives.admin import RoomWithArchivesAdmin
from archives.models import Archive
from live.join import qr_code
from live.models import Activity
from live.people import DEEDS, moderate, people_now, running_kinds, running_recordings
from live.selected_rooms import SelectedRooms, change
from live.stopping import stop_all, summary
from meetings.models import Meeting, Mute
from meetings.presence import people, there_are
from rooms import moderating
from rooms.invitations import invite, revoke_all
from rooms.models import Role, Room
from rooms.past_sessions import sessions_of
from rooms.paths import path_to
from staff.page_actions import PageActions, link_to_copy, page_action

WEEK = 7 * 86_400
MEETINGS_SHOWN = 10
# Of a page that is older than what has happened: what runs already, and what runs no more.
REFUSALS = {
    "start_recording": "The room is being recorded already.",
    "stop_recording": "No recording is running any more.",
    "start_captions": "There are captions already.",
    "stop_captions": "There are no captions any more.",
    "start_broadcast": "The room is being broadcast already.",
    "stop_broadcast": "No broadcast is running any more.",
    "start_muting": "Who joins is muted already.",
    "stop_muting": "Who joins is not muted any more.",
}
# What OpenTok cannot do, since its servers cannot decrypt what is published.
ENCRYPTED = {
    "start_recording": "The room is end-to-end encrypted, so that OpenTok cannot record it.",
    "start_captions": "The room is end-to-end encrypted, so that OpenTok cannot caption it.",
    "start_broadcast": "The room is end-to-end encrypted, so that OpenTok cannot broadcast it.",
}
DISCONNECTING = {"stop_everything", "close_room", "renew_session"}
LEAVES = "Everybody in the room is disconnected, and recordings and all else that runs in it stop. "

# Rooms know nothing of what runs in them, so that it is said here.
admin.site.unregister(Room)


@admin.register(Room)
class RoomConsoleAdmin(SelectedRooms, PageActions, RoomWithArchivesAdmin):
    change_form_template = "admin/rooms/room/change_form.html"
    page_actions: ClassVar[list[str]] = [
        "invite_moderator", "invite_guest", "revoke_invitations", "start_recording",
        "stop_recording", "start_captions", "stop_captions", "start_broadcast", "stop_broadcast",
        "mute_all", "start_muting", "stop_muting", "renew_session", "stop_everything", "close_room",
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
            if Capability.JOIN in settings.ANONYMOUS_ACCESS:
                link = request.build_absolute_uri(path_to("join", row.name))
                context |= {"join": link, "qr_code": qr_code(link)}
            context["deeds"] = [
                what for what, right in DEEDS.items() if request.user.has_perm(right)
            ]
            if request.user.has_perm("meetings.view_meeting"):
                sessions = sessions_of(Room.objects.filter(pk=row.pk))
                past = Meeting.objects.filter(session_id__in=sessions).order_by("-started_at")
                context["meetings"] = past[:MEETINGS_SHOWN]
        return super().change_view(request, object_id, form_url, context)

    def question(self, row: Room, name: str) -> str:
        asks = super().question(row, name)
        if name not in DISCONNECTING:
            return asks
        # static/console.js keeps the count up to date.
        count = there_are(people(row.session_id).count())
        return format_html("<span data-count>{}</span> {}", count, asks)

    def refusals(self, row: Room) -> dict[str, str]:
        """What runs is not started, nor what OpenTok cannot do, and what does not run is not
        stopped.
        """
        running = running_kinds(row)
        if Mute.objects.of_all(row.session_id):
            running.append("muting")
        refused = {
            name: refusal
            for name, refusal in REFUSALS.items()
            if (name.partition("_")[2] in running) == name.startswith("start")
        }
        return refused | ENCRYPTED if row.e2ee else refused

    def people(self, request: HttpRequest, pk: int) -> JsonResponse:
        """What live.people.people_now tells, or the `problem` that keeps it from that."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        room = self._room(request, pk)
        try:
            return JsonResponse(people_now(room))
        except APIException as error:
            return JsonResponse({"problem": str(error.detail)})

    def moderate(self, request: HttpRequest, pk: int, what: str, which: str) -> JsonResponse:
        """POST: what live.people.moderate does."""
        if what not in DEEDS:
            raise Http404
        if not (self.has_view_permission(request) and request.user.has_perm(DEEDS[what])):
            raise PermissionDenied
        if request.method != "POST":
            return JsonResponse({"problem": "Only POST does something."}, status=405)
        room = self._room(request, pk)
        try:
            done = moderate(room, what, which, text=request.POST.get("text", ""))
        except APIException as error:
            return JsonResponse({"problem": str(error.detail)})
        # Without names: the log is kept for longer than who was in a room.
        self.log_change(request, room, f"People: {what}.")
        return JsonResponse({"done": done})

    @page_action(label="Link for a moderator", permission="rooms.change_room")
    def invite_moderator(self, request: HttpRequest, room: Room) -> str:
        return self._invite(request, room, Role.MODERATOR)

    @page_action(label="Link for a guest", permission="rooms.change_room")
    def invite_guest(self, request: HttpRequest, room: Room) -> str:
        return self._invite(request, room, Role.PUBLISHER)

    @page_action(
        label="Revoke all links",
        permission="rooms.change_room",
        asks="No link that was made before lets anybody in. Who has joined by one stays.",
    )
    def revoke_invitations(self, request: HttpRequest, room: Room) -> str:
        revoke_all(room)
        return "Revoked all links into the room."

    @page_action(label="Start recording", permission="archives.change_archive")
    def start_recording(self, request: HttpRequest, room: Room) -> str:
        Archive.objects.start(room.session_id)
        return "Started a recording."

    @page_action(label="Stop recording", permission="archives.change_archive")
    def stop_recording(self, request: HttpRequest, room: Room) -> str:
        for archive in running_recordings(room):
            Archive.objects.stop(str(archive.pk))
        return "Stopped the recording."

    @page_action(label="Start captions", permission="live.change_activity")
    def start_captions(self, request: HttpRequest, room: Room) -> str:
        Activity.objects.start_captions(room.session_id)
        return "Started captions in English."

    @page_action(label="Stop captions", permission="live.change_activity")
    def stop_captions(self, request: HttpRequest, room: Room) -> str:
        self._stop(room, "captions")
        return "Stopped the captions."

    @page_action(label="Start broadcast", permission="live.change_activity")
    def start_broadcast(self, request: HttpRequest, room: Room) -> str:
        broadcast = Activity.objects.start_broadcast(room.session_id, outputs={"hls": {}})
        if address := broadcast.details.get("broadcastUrls", {}).get("hls"):
            shown = format_html("Players open this address: {}", link_to_copy(address))
            self.message_user(request, shown, messages.INFO)
        return "Started a broadcast."

    @page_action(label="Stop broadcast", permission="live.change_activity")
    def stop_broadcast(self, request: HttpRequest, room: Room) -> str:
        self._stop(room, "broadcast")
        return "Stopped the broadcast."

    @page_action(
        label="Mute all",
        permission="rooms.change_room",
        asks="Everybody is muted. They can unmute.",
    )
    def mute_all(self, request: HttpRequest, room: Room) -> str:
        moderating.mute_present(room)
        return "Muted everybody."

    @page_action(
        label="Mute all, and who joins",
        permission="rooms.change_room",
        asks="Everybody is muted, and so are all who join from now on, until you end that here. "
        "They can unmute.",
    )
    def start_muting(self, request: HttpRequest, room: Room) -> str:
        moderating.mute_all(room)
        return "Muted everybody, and all who join from now on."

    @page_action(label="Stop muting who joins", permission="rooms.change_room")
    def stop_muting(self, request: HttpRequest, room: Room) -> str:
        moderating.unmute_all(room)
        return "Who joins from now on is not muted. Who was muted stays so until they unmute."

    @page_action(
        label="New session",
        permission="rooms.change_room",
        asks="People in the room stay in its old session, and do not meet those who join from now "
        "on. Recordings stay known.",
    )
    def renew_session(self, request: HttpRequest, room: Room) -> str:
        room.rotate_session()
        return "Gave the room a new session."

    @page_action(
        label="Stop everything", permission="rooms.change_room", asks=f"{LEAVES}They can come back."
    )
    def stop_everything(self, request: HttpRequest, room: Room) -> str:
        return self._stopped(request, room)

    @page_action(
        label="Close and disconnect",
        permission="rooms.change_room",
        asks=f"{LEAVES}Nobody can join until the room is opened again, under “Who gets in”.",
    )
    def close_room(self, request: HttpRequest, room: Room) -> str:
        change(room, closed=True)
        return "Closed the room. " + self._stopped(request, room)

    def _invite(self, request: HttpRequest, room: Room, role: Role) -> str:
        page = request.build_absolute_uri(path_to("join", room.name))
        link = f"{page}#{invite(room, role=role, lifetime=WEEK).signed()}"
        shown = format_html("Copy this link: {}", link_to_copy(link))
        self.message_user(request, shown, messages.INFO)
        whom = "moderator" if role == Role.MODERATOR else "guest"
        return f"Made a link for a {whom}, which is good for a week."

    def _stop(self, room: Room, kind: str) -> None:
        for activity in Activity.objects.running(room.session_id, kind):
            Activity.objects.stop(activity)

    def _stopped(self, request: HttpRequest, room: Room) -> str:
        report = stop_all(room)
        for failure in report["failed"]:
            self.message_user(request, failure["detail"], messages.ERROR)
        return summary(report)

    def _room(self, request: HttpRequest, pk: int) -> Room:
        try:
            room: Room = self.get_queryset(request).get(pk=pk)
        except (Room.DoesNotExist, OverflowError):
            raise Http404 from None
        return room
