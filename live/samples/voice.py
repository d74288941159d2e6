"""Webhooks of Vonage's Voice API, whose answer (NCCO) connects a call to a conversation.

A call comes from a session, dialled here, or from a caller who keys in the PIN of a room.
Source: developer.vonage.com, "NCCO reference" and "Voice webhook reference".
"""

import re
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from access.guesses import Guesses
from access.limits import address_ident
from access.notes import best_effort
from audit.actors import CALLBACK, acting_as
from live.models import Activity, Kind
from rooms.conferences import PIN_DIGITS, Conference
from video import voice

# Headers of a SIP call that the Voice API passes on: OpenTok adds the first by itself, the second
# comes from a dial to a phone.
SESSION = "X-OpenTok-SessionId"
PHONE = "X-learningserver-msisdn"

WORD = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)

Ncco = list[dict[str, Any]]


class WebhookView(APIView):
    """Webhooks come by GET or POST, as the application is configured."""

    authentication_classes = ()
    permission_classes = ()

    def get_throttles(self) -> list[BaseThrottle]:
        # Signed ones come from Vonage's few addresses; what is refused counts.
        return [] if settings.VOICE_SIGNATURE_SECRET else super().get_throttles()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        authorization = request.headers.get("Authorization", "")
        voice.check_webhook(request.body, authorization=authorization)
        super().initial(request, *args, **kwargs)

    def told(self, request: Request) -> dict[str, Any]:
        body = request.data if isinstance(request.data, dict) else {}
        return {**request.query_params.dict(), **body}


def _word(value: object) -> str:
    """An id or a number; empty for anything else, which a database might refuse."""
    return value if isinstance(value, str) and WORD.fullmatch(value) else ""


class AnswerView(WebhookView):
    def get(self, request: Request) -> Response:
        told = self.told(request)
        if f"SipHeader_{SESSION}" in told:
            return Response(_of_session(told))
        if "dtmf" in told:
            return Response(_of_pin(request, told))
        return Response(_ask_for_pin(request, "Please key in the PIN of the room, and then hash."))

    post = get


class EventView(WebhookView):
    """Ends the call in its session once it has ended."""

    def get(self, request: Request) -> HttpResponse:
        told = self.told(request)
        uuid = _word(told.get("uuid"))
        if told.get("status") == "completed" and uuid:
            for call in Activity.objects.filter(kind=Kind.CALL, details__voice_uuid=uuid):
                with acting_as(CALLBACK):
                    Activity.objects.stop(call)
        return Response()

    post = put = get


def note(call: Activity, **details: str) -> None:
    """Add details that OpenTok does not report."""
    with best_effort("note more about a call"), transaction.atomic():
        if row := Activity.objects.select_for_update().filter(pk=call.pk).first():
            row.details |= details
            row.save(update_fields=["details"])


def _of_session(told: dict[str, Any]) -> Ncco:
    """For a running call that was dialled here."""
    number = _word(told.get(f"SipHeader_{PHONE}"))
    running = Activity.objects.running(_word(told[f"SipHeader_{SESSION}"]), Kind.CALL)
    call = running.filter(room__isnull=False, details__msisdn=number).first()
    if call is None or call.room is None:
        return [_talk("This call is over.")]
    note(call, voice_uuid=_word(told.get("uuid")))
    return [_connect(number) if number else _conversation(Conference.objects.of_room(call.room))]


def _of_pin(request: Request, told: dict[str, Any]) -> Ncco:
    dtmf = told["dtmf"]
    digits = _word(dtmf.get("digits") if isinstance(dtmf, dict) else dtmf)
    # Only a signed webhook can be trusted about the caller.
    caller = _word(told.get("from")) if settings.VOICE_SIGNATURE_SECRET else ""
    client = f"phone:{caller}" if caller else address_ident(request.META)
    guesses = Guesses(own=("code", "pin", client), all_clients=("code_room", "pin"), client=client)
    rooms = Conference.objects.select_related("room")
    conference = guesses.check(lambda: rooms.filter(pin=digits).first())
    if conference is None:
        return _ask_for_pin(request, "There is no such room. Please key in its PIN again.")
    if shut := conference.room.shut(now=timezone.now()):
        return [_talk(str(shut.detail))]
    if conference.room.waiting_room or conference.room.recording_consent:
        return [_talk("This room cannot be joined by phone.")]
    # The conversation goes on when a caller hangs up.
    joined = _conversation(conference) | {"endOnExit": False}
    return [_talk("Please wait while we connect you."), joined]


def _ask_for_pin(request: Request, sentence: str) -> Ncco:
    return [
        _talk(sentence) | {"bargeIn": True},
        {
            "action": "input",
            "type": ["dtmf"],
            "dtmf": {"maxDigits": PIN_DIGITS, "submitOnHash": True, "timeOut": 10},
            "eventUrl": [request.build_absolute_uri(request.path)],
        },
    ]


def _talk(sentence: str) -> dict[str, Any]:
    return {"action": "talk", "text": sentence}


def _conversation(conference: Conference) -> dict[str, Any]:
    name = conference.conversation
    return {"action": "conversation", "name": name, "startOnEnter": True, "endOnExit": True}


def _connect(number: str) -> dict[str, Any]:
    endpoint = {"type": "phone", "number": number}
    return {"action": "connect", "endpoint": [endpoint], "from": settings.CONFERENCE_NUMBER}
