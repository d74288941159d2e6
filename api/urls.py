from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path, re_path

from api.archive_views import ArchiveViewSet
from api.audit_views import AuditViewSet
from api.guest_views import GuestViewSet
from api.invitation_views import InvitationViewSet
from api.live_views import (
    ActivityViewSet,
    AudioConnectorViewSet,
    BroadcastViewSet,
    CallViewSet,
    CaptionsViewSet,
    RenderViewSet,
    StopViewSet,
)
from api.meeting_views import BanViewSet, MeetingViewSet, PresenceViewSet
from api.room_views import RoomViewSet
from api.session_views import ConnectionViewSet, EverybodyViewSet, StreamViewSet
from api.webhook_views import WebhookViewSet

ARCHIVE = r"^archives/(?P<archive_id>[^/]+)"

room = RoomViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})
session = RoomViewSet.as_view({"post": "new_session"})
tokens = RoomViewSet.as_view({"post": "new_token"})
streams = StreamViewSet.as_view({"get": "list_all", "put": "lay_out"})
invitations = InvitationViewSet.as_view({"post": "create", "delete": "destroy"})
meeting = MeetingViewSet.as_view({"get": "retrieve"})
attendance = MeetingViewSet.as_view({"get": "attendance"})
webhook = WebhookViewSet.as_view(
    {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
)
mute = EverybodyViewSet.as_view({"post": "mute", "delete": "unmute"})


def in_room(below: str, view: Callable[..., Any]) -> list[URLPattern]:
    """What is below a room, with a slash at the end or without."""
    return [path(f"rooms/<room:name>/{below}{end}", view) for end in ("", "/")]


def activities(viewset: type[ActivityViewSet]) -> list[URLPattern]:
    """The addresses that all kinds of activities have."""
    one = rf"^{viewset.path}/(?P<activity_id>[^/]+)"
    return [
        *in_room(viewset.path, viewset.as_view({"get": "list_in_room", "post": "create"})),
        re_path(rf"^{viewset.path}/?\Z", viewset.as_view({"get": "list"})),
        re_path(rf"{one}/?\Z", viewset.as_view({"get": "retrieve"})),
        re_path(rf"{one}/stop/?\Z", viewset.as_view({"post": "stop"})),
    ]


WEBHOOK = r"^webhooks/(?P<webhook_id>[^/]+)"
BROADCAST = r"^broadcasts/(?P<activity_id>[^/]+)"

urlpatterns = [
    re_path(r"^rooms/?\Z", RoomViewSet.as_view({"get": "list", "post": "create"})),
    path("rooms/<room:name>", room, name="api-room"),
    path("rooms/<room:name>/", room),
    *in_room("session", session),
    *in_room("tokens", tokens),
    *in_room("invitations", invitations),
    *in_room("guests", GuestViewSet.as_view({"get": "list_all"})),
    *in_room("guests/<str:guest_id>", GuestViewSet.as_view({"patch": "partial_update"})),
    *in_room("connections", ConnectionViewSet.as_view({"get": "list_all"})),
    *in_room("connections/<connection_id>", ConnectionViewSet.as_view({"delete": "destroy"})),
    *in_room("presence", PresenceViewSet.as_view({"get": "retrieve"})),
    *in_room("bans", BanViewSet.as_view({"get": "list_all", "post": "create"})),
    *in_room("bans/<str:ban_id>", BanViewSet.as_view({"delete": "destroy"})),
    *in_room("streams", streams),
    *in_room("streams/<stream_id>", StreamViewSet.as_view({"get": "retrieve"})),
    *in_room("streams/<stream_id>/mute", StreamViewSet.as_view({"post": "mute"})),
    *in_room("mute", mute),
    *in_room("signals", EverybodyViewSet.as_view({"post": "signal"})),
    *in_room("stop", StopViewSet.as_view({"post": "stop"})),
    re_path(r"^audit/?\Z", AuditViewSet.as_view({"get": "list"})),
    re_path(r"^webhooks/?\Z", WebhookViewSet.as_view({"get": "list", "post": "create"})),
    re_path(WEBHOOK + r"/?\Z", webhook),
    re_path(WEBHOOK + r"/secret/?\Z", WebhookViewSet.as_view({"post": "new_secret"})),
    re_path(WEBHOOK + r"/ping/?\Z", WebhookViewSet.as_view({"post": "ping"})),
    re_path(WEBHOOK + r"/deliveries/?\Z", WebhookViewSet.as_view({"get": "deliveries"})),
    re_path(WEBHOOK + r"/redeliver/?\Z", WebhookViewSet.as_view({"post": "redeliver"})),
    re_path(r"^meetings/?\Z", MeetingViewSet.as_view({"get": "list"})),
    re_path(r"^meetings/(?P<meeting_id>[^/]+)/?\Z", meeting),
    re_path(r"^meetings/(?P<meeting_id>[^/]+)/attendance/?\Z", attendance),
    *activities(BroadcastViewSet),
    re_path(BROADCAST + r"/layout/?\Z", BroadcastViewSet.as_view({"put": "lay_out"})),
    re_path(BROADCAST + r"/streams/?\Z", BroadcastViewSet.as_view({"post": "add_stream"})),
    re_path(
        BROADCAST + r"/streams/(?P<stream_id>[^/]+)/?\Z",
        BroadcastViewSet.as_view({"delete": "remove_stream"}),
    ),
    *activities(CaptionsViewSet),
    *activities(RenderViewSet),
    *activities(CallViewSet),
    re_path(r"^calls/(?P<activity_id>[^/]+)/digits/?\Z", CallViewSet.as_view({"post": "digits"})),
    *activities(AudioConnectorViewSet),
    re_path(r"^archives/?\Z", ArchiveViewSet.as_view({"get": "list", "post": "create"})),
    re_path(ARCHIVE + r"/stop/?\Z", ArchiveViewSet.as_view({"post": "stop"})),
    re_path(
        ARCHIVE + r"/share/?\Z", ArchiveViewSet.as_view({"post": "share", "delete": "unshare"})
    ),
    re_path(ARCHIVE + r"/hold/?\Z", ArchiveViewSet.as_view({"post": "hold", "delete": "release"})),
    re_path(ARCHIVE + r"/layout/?\Z", ArchiveViewSet.as_view({"put": "lay_out"})),
    re_path(ARCHIVE + r"/streams/?\Z", ArchiveViewSet.as_view({"post": "add_stream"})),
    re_path(
        ARCHIVE + r"/streams/(?P<stream_id>[^/]+)/?\Z",
        ArchiveViewSet.as_view({"delete": "remove_stream"}),
    ),
    re_path(ARCHIVE + r"/?\Z", ArchiveViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
]
