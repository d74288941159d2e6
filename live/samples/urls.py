"""The addresses of OpenTok's and Vonage's sample servers."""

from django.urls import path, re_path

from live.samples.audio_connectors import AudioConnectorViewSet
from live.samples.broadcasts import BroadcastViewSet
from live.samples.calls import CallViewSet
from live.samples.captions import CaptionsViewSet
from live.samples.renders import RenderViewSet
from live.samples.voice import AnswerView, EventView

conference = CallViewSet.as_view({"get": "conference"})

urlpatterns = [
    re_path(r"^captions/start/?\Z", CaptionsViewSet.as_view({"post": "start"})),
    re_path(
        r"^captions/(?P<captions_id>[^/]+)/stop/?\Z", CaptionsViewSet.as_view({"post": "stop"})
    ),
    re_path(r"^audio-connector/connect/?\Z", AudioConnectorViewSet.as_view({"post": "connect"})),
    re_path(
        r"^audio-connector/disconnect/?\Z", AudioConnectorViewSet.as_view({"post": "disconnect"})
    ),
    re_path(r"^render/?\Z", RenderViewSet.as_view({"post": "start"})),
    re_path(r"^render/info/?\Z", RenderViewSet.as_view({"get": "info"})),
    re_path(r"^render/list/?\Z", RenderViewSet.as_view({"get": "list_all"})),
    re_path(r"^render/stop/?\Z", RenderViewSet.as_view({"delete": "stop"})),
    re_path(r"^sip/vapi/answer/?\Z", AnswerView.as_view()),
    re_path(r"^sip/vapi/events/?\Z", EventView.as_view()),
    path("sip/<room:name>", conference),
    path("sip/<room:name>/", conference),
]
for action in ("start", "stop", "status"):
    acting = BroadcastViewSet.as_view({"post": action})
    urlpatterns += [
        path(f"broadcast/<room:name>/{action}", acting),
        path(f"broadcast/<room:name>/{action}/", acting),
    ]
for action in ("dial", "hangup"):
    acting = CallViewSet.as_view({"post": action})
    urlpatterns += [
        path(f"sip/<room:name>/{action}", acting),
        path(f"sip/<room:name>/{action}/", acting),
    ]
