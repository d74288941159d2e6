import json
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from access.authentication import key_of
from access.capabilities import Capability
from live.models import Activity, Kind
from live.samples.serializers import CallSerializer, ConferenceSerializer, DialSerializer
from live.samples.voice import PHONE, note
from rooms.conferences import Conference
from rooms.coverage import check_key_covers
from rooms.models import Room
from rooms.views import AT_A_ROOM, KEPT_OUT, visitor
from video.errors import ANY_CALL
from web.errors import Problem

# A room's policy holds for phones as well.
JOINING = AT_A_ROOM | (KEPT_OUT - {"room_unknown"}) | ANY_CALL
VONAGE = "sip:{number}@sip.nexmo.com;transport=tls"


@extend_schema(tags=["Calls"])
class CallViewSet(ViewSet):
    """Phones in a room, over SIP and a conference of Vonage's Voice API."""

    needs = Capability.CALL
    limit = "record"
    limits = {"conference": "join"}

    @extend_schema(
        operation_id="get_conference",
        summary="How phones get into a room",
        description="The same each time. The room has to be there.",
        responses={200: ConferenceSerializer},
        extensions={"x-codes": JOINING},
    )
    def conference(self, request: Request, name: str) -> Response:
        room = _room(request, name)
        conference = Conference.objects.of_room(room)
        return Response(
            {
                "pin": conference.pin,
                "conversationName": conference.conversation,
                "sessionId": room.session_id,
                "conferenceNumber": settings.CONFERENCE_NUMBER or None,
            }
        )

    @extend_schema(
        operation_id="dial",
        summary="Call the conference of a room, or a phone",
        request=DialSerializer,
        responses={200: CallSerializer},
        extensions={
            "x-codes": {
                "invalid",
                "sip_not_configured",
                "call_refused",
                "call_conflict",
                "nobody_connected",
                *JOINING,
            }
        },
    )
    def dial(self, request: Request, name: str) -> Response:
        number = DialSerializer.read(request.data).get("msisdn", "")
        room = _room(request, name)
        conference = Conference.objects.of_room(room)
        # What the clients of the samples know a phone by.
        data = {"sip": True, "role": "client", "name": conference.conversation}
        call = Activity.objects.dial(
            room.session_id,
            **_line(),
            headers={PHONE: number} if number else None,
            data=json.dumps(data),
        )
        note(call, msisdn=number)
        return Response(call.answer)

    @extend_schema(
        operation_id="hang_up",
        summary="End the calls of a room",
        description="It may be repeated.",
        request=None,
        responses={200: {"type": "object"}},
        extensions={"x-codes": AT_A_ROOM | ANY_CALL},
    )
    def hangup(self, request: Request, name: str) -> Response:
        request.data  # noqa: B018  nothing is read from the body, but a broken one is refused
        check_key_covers(key_of(request), name)
        room = Room.objects.find(name)  # ending a call is no matter of who may join
        for call in Activity.objects.running(room.session_id, Kind.CALL):
            Activity.objects.stop(call)
        return Response({})


def _room(request: Request, name: str) -> Room:
    check_key_covers(key_of(request), name)
    return Room.objects.open_existing(name, visitor=visitor(request))


def _line() -> dict[str, Any]:
    """Where a call goes and as whom. Error: sip_not_configured."""
    if not settings.SIP_URI:
        needed = ["CONFERENCE_NUMBER", "SIP_USERNAME", "SIP_PASSWORD"]
        if missing := [name for name in needed if not getattr(settings, name)]:
            raise Problem("sip_not_configured", missing=", ".join(missing))
    return {
        "uri": settings.SIP_URI or VONAGE.format(number=settings.CONFERENCE_NUMBER),
        "username": settings.SIP_USERNAME or None,
        "password": settings.SIP_PASSWORD or None,
        "secure": False,
    }
