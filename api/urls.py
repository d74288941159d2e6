from django.urls import path, re_path

from api.archive_views import ArchiveViewSet
from api.room_views import RoomViewSet

ARCHIVE = r"^archives/(?P<archive_id>[^/]+)"

room = RoomViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})
session = RoomViewSet.as_view({"post": "new_session"})
tokens = RoomViewSet.as_view({"post": "new_token"})

urlpatterns = [
    re_path(r"^rooms/?\Z", RoomViewSet.as_view({"get": "list", "post": "create"})),
    path("rooms/<room:name>", room, name="api-room"),
    path("rooms/<room:name>/", room),
    path("rooms/<room:name>/session", session),
    path("rooms/<room:name>/session/", session),
    path("rooms/<room:name>/tokens", tokens),
    path("rooms/<room:name>/tokens/", tokens),
    re_path(r"^archives/?\Z", ArchiveViewSet.as_view({"get": "list", "post": "create"})),
    re_path(ARCHIVE + r"/stop/?\Z", ArchiveViewSet.as_view({"post": "stop"})),
    re_path(ARCHIVE + r"/layout/?\Z", ArchiveViewSet.as_view({"put": "lay_out"})),
    re_path(ARCHIVE + r"/streams/?\Z", ArchiveViewSet.as_view({"post": "add_stream"})),
    re_path(
        ARCHIVE + r"/streams/(?P<stream_id>[^/]+)/?\Z",
        ArchiveViewSet.as_view({"delete": "remove_stream"}),
    ),
    re_path(ARCHIVE + r"/?\Z", ArchiveViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
]
