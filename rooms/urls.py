from django.urls import path, re_path, register_converter

from rooms.paths import NameConverter, SpelledNameConverter
from rooms.views import RoomViewSet

register_converter(NameConverter, "room")
register_converter(SpelledNameConverter, "spelled")

join = RoomViewSet.as_view({"get": "retrieve", "head": "peek"})

urlpatterns = [
    re_path(r"^session/?\Z", RoomViewSet.as_view({"get": "session"})),
    path("room/<spelled:name>", join, name="room"),
    path("room/<spelled:name>/", join),
]
