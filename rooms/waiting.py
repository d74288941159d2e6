"""The waiting room: guests ask to be let in, and get a ticket for when a moderator has done so."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import ViewSet

from access.authentication import key_of
from access.capabilities import Capability
from access.limits import Throttle
from rooms.coverage import check_key_covers
from rooms.guests import MAX_NAME, Guest
from rooms.models import Room
from rooms.views import ASKED, SHUT, visitor


class NewGuestSerializer(serializers.Serializer):
    name = serializers.CharField(
        max_length=MAX_NAME, help_text="What the moderators are told about who waits."
    )


class TicketSerializer(serializers.Serializer):
    ticket = serializers.UUIDField(help_text="For the header `X-Ticket` of /room/<name>.")


@extend_schema(tags=["Rooms"])
class WaitingViewSet(ViewSet):
    """Asking to be let into a room that has a waiting room."""

    needs = Capability.JOIN
    takes_invitations = {"create"}

    def get_throttles(self) -> list[BaseThrottle]:
        return [Throttle("join")]

    @extend_schema(
        operation_id="ask_to_be_let_in",
        summary="Ask to be let into a room",
        description="Then ask `/room/<name>` with the ticket until it no longer answers "
        "`admission_pending`: guests who do not ask for 90 seconds are dropped from the list. "
        "A ticket is good for a day.",
        request=NewGuestSerializer,
        responses={201: TicketSerializer},
        extensions={
            "x-codes": {
                "invalid", "room_name_invalid", "room_not_covered", "room_not_found",
                "waiting_room_full", *ASKED, *SHUT,
            }
        },
    )  # fmt: skip
    def create(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        guest = NewGuestSerializer(data=request.data)
        guest.is_valid(raise_exception=True)
        room = Room.objects.find(name)
        room.let_ask(visitor(request))
        asked = Guest.objects.ask(room, guest.validated_data["name"])
        return Response(TicketSerializer(asked).data, status.HTTP_201_CREATED)
