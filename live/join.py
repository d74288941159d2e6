"""The join page, on which people join a room with their browser."""

from typing import Any
from urllib.parse import quote, urlsplit

import segno
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from rest_framework.request import Request
from rest_framework.views import APIView

from access.capabilities import Capability
from archives.models import Archive
from archives.states import Status
from rooms.models import Room
from rooms.names import clean_name
from rooms.paths import path_to

LONGEST_QR_CODE = 300
# Where the SDK goes when no proxy is set; see Vonage's list of allowed hosts.
SDK_HOSTS = ("*.opentok.com", "*.tokbox.com", "*.vonage.com")


class JoinView(APIView):
    """Opening the page makes no room; joining does. Error: room_name_invalid."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request, name: str = "") -> HttpResponse:
        """Without a name, redirect to the page of the `room` in the query, which a form sends."""
        room = clean_name(name or request.query_params.get("room", ""))
        if not name:
            return HttpResponseRedirect(path_to("join", room))
        embedded = request.query_params.get("embed") == "1"
        link = request.build_absolute_uri(path_to("join", room))
        context = {
            "room": room,
            "segment": quote(room, safe=""),
            "sdk": settings.OPENTOK_JS_URL,
            "proxy": settings.OPENTOK_PROXY_URL,
            "can_record": Capability.RECORD in settings.ANONYMOUS_ACCESS,
            "qr_code": qr_code(link),
            **_what_is_known(room),
        }
        response = render(request._request, "join.html", context)
        response.headers["Content-Security-Policy"] = content_policy(embedded=embedded)
        response.headers["Permissions-Policy"] = "camera=(self), microphone=(self)"
        return response


def qr_code(link: str) -> str:
    """As SVG; empty for a long link, which is slow to encode and hard to read for cameras."""
    if len(link) > LONGEST_QR_CODE:
        return ""
    return str(segno.make_qr(link).svg_inline(scale=6, light="#fff", title=link))


def _what_is_known(name: str) -> dict[str, Any]:
    """What people should know before they join. Refusals are shown when they join.

    Empty without anonymous `join`, which must not reveal whether there is such a room.
    """
    if Capability.JOIN not in settings.ANONYMOUS_ACCESS:
        return {}
    room = Room.objects.get_by_name(name)
    if room is None:
        return {}
    running = Archive.objects.filter(session_id=room.session_id, status=Status.STARTED)
    return {
        "waiting_room": room.waiting_room,
        "recording_consent": room.recording_consent,
        "is_recorded": running.exists(),
    }


def content_policy(*, embedded: bool) -> str:
    """Allows the SDK's script, its servers, and the styles that it sets."""
    hosts = [f"{scheme}://{host}" for scheme in ("https", "wss") for host in SDK_HOSTS]
    if settings.OPENTOK_PROXY_URL:
        proxy = urlsplit(settings.OPENTOK_PROXY_URL)
        scheme = {"http": "ws", "https": "wss"}[proxy.scheme]
        hosts = [f"{proxy.scheme}://{proxy.netloc}", f"{scheme}://{proxy.netloc}"]
    sdk = urlsplit(settings.OPENTOK_JS_URL)
    source = f" {sdk.scheme}://{sdk.netloc}" if sdk.netloc else ""
    ancestors = " ".join(settings.EMBED_ORIGINS if embedded else []) or "'none'"
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self'{source}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob: mediastream:",
            "worker-src blob:",
            f"connect-src 'self' {' '.join(hosts)}",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {ancestors}",
        ]
    )
