from django.urls import path, re_path, register_converter

from rooms.broadcast_views import BroadcastRoomViewSet
from rooms.paths import NameConverter, SpelledNameConverter
from rooms.views import RoomViewSet
from rooms.waiting import WaitingViewSet

register_converter(NameConverter, "room")
register_converter(SpelledNameConverter, "spelled")

waiting = WaitingViewSet.as_view({"post": "create", "delete": "destroy"})
join = RoomViewSet.as_view({"get": "retrieve", "head": "peek"})

urlpatterns = [
    re_path(r"^session/?\Z", RoomViewSet.as_view({"get": "session"})),
    path("room/<spelled:name>", join, name="room"),
    path("room/<spelled:name>/", join),
    path("waiting/<room:name>", waiting, name="waiting"),
    path("waiting/<room:name>/", waiting),
]
for who in ("host", "viewer", "guest"):
    as_role = BroadcastRoomViewSet.as_view({"get": who, "head": "peek"})
    urlpatterns += [
        path(f"broadcast/<room:name>/{who}", as_role),
        path(f"broadcast/<room:name>/{who}/", as_role),
    ]
