"""The endpoints of guests of a waiting room."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from access.authentication import key_of
from access.capabilities import Capability
from rooms.coverage import check_key_covers
from rooms.guests import MAX_NAME, Guest
from rooms.models import Room
from rooms.names import has_control_characters
from rooms.views import ASKED, AT_A_ROOM, SHUT, visitor
from web.errors import Problem
from web.serializers import StrictSerializer


class GuestNameField(serializers.CharField):
    """Only text: a number or a line break is a mistake of the client."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        name: str = super().to_internal_value(data)
        if has_control_characters(name):
            raise serializers.ValidationError("A name has no control characters.")
        return name


@extend_schema_serializer(examples=[OpenApiExample("Such as", {"name": "Ben"}, request_only=True)])
class NewGuestSerializer(StrictSerializer):
    name = GuestNameField(
        max_length=MAX_NAME, help_text="What the moderators are told about who waits."
    )


class TicketSerializer(serializers.Serializer):
    ticket = serializers.CharField(
        help_text="For the header `X-Ticket` of /room/<name>. Keep it secret."
    )


@extend_schema(tags=["Rooms"])
class WaitingViewSet(ViewSet):
    """Asking to be let into a room that has a waiting room."""

    needs = Capability.JOIN
    takes_invitations = {"create", "destroy"}
    limit = "join"

    @extend_schema(
        operation_id="ask_to_be_let_in",
        summary="Ask to be let into a room",
        description="Then ask `/room/<name>` with the ticket until it no longer answers "
        "`admission_pending`: guests who do not ask for 90 seconds are dropped from the list. "
        "A ticket is good for a day. A client that need not wait gets a 409 "
        "`admission_not_required`.",
        request=NewGuestSerializer,
        responses={201: TicketSerializer},
        extensions={
            "x-codes": {
                "invalid", "admission_not_required", "waiting_room_full",
                *AT_A_ROOM, *ASKED, *SHUT,
            }
        },
    )  # fmt: skip
    def create(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        asked = NewGuestSerializer.read(request.data)
        room, who = Room.objects.find(name), visitor(request)
        room.check_policy(who)
        if not room.needs_ticket(who):
            raise Problem("admission_not_required")
        ticket = Guest.objects.ask(room, asked["name"])
        return Response(TicketSerializer({"ticket": ticket}).data, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="stop_waiting",
        summary="Stop waiting",
        description="Ends the ticket. A guest who has joined with it stays in the room.",
        parameters=[OpenApiParameter("X-Ticket", str, OpenApiParameter.HEADER)],
        responses={204: OpenApiResponse(description="Done.")},
        extensions={"x-codes": {"guest_not_found", *AT_A_ROOM}},
    )
    def destroy(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        ticket = request.META.get("HTTP_X_TICKET", "")
        Guest.objects.cancel(Room.objects.find(name), ticket)
        return Response(status=status.HTTP_204_NO_CONTENT)
