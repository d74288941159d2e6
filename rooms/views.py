from django.http import HttpResponseRedirect
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import ViewSet

from access.authentication import invitation_of, key_of
from access.capabilities import Capability
from access.limits import client_ident
from rooms import quick
from rooms.coverage import check_key_covers
from rooms.credentials import credentials_for
from rooms.models import Room
from rooms.paths import path_to
from rooms.policy import Visitor
from rooms.serializers import CredentialsSerializer
from video.errors import ANY_CALL

AT_A_ROOM = {"room_name_invalid", "room_not_covered", "room_not_found"}
SHUT = {"room_closed", "room_not_open_yet", "room_over", "room_full"}
ASKED = {"access_code_required", "access_code_wrong", "consent_required", "invitation_invalid"}
WAITING = {"admission_required", "admission_pending", "admission_refused"}
KEPT_OUT = {"room_unknown", "banned", *ASKED, *SHUT, *WAITING}
LOCATION = OpenApiParameter("Location", str, OpenApiParameter.HEADER, response=[201, 302])


@extend_schema(tags=["Rooms"])
class RoomViewSet(ViewSet):
    """The credentials to join a room."""

    needs = Capability.JOIN
    takes_invitations = {"retrieve"}

    limit = "join"
    limits = {"session": "other"}

    def get_throttles(self) -> list[BaseThrottle]:
        has_been_counted = quick.ERROR in self.request.META
        return [] if has_been_counted else super().get_throttles()

    @extend_schema(
        operation_id="go_to_session",
        summary="To the room called “session”",
        parameters=[LOCATION],
        responses={302: OpenApiResponse(description="To `/room/session`.")},
    )
    def session(self, request: Request) -> HttpResponseRedirect:
        """Redirect to the room called "session", by a path without a host."""
        query = request.META.get("QUERY_STRING", "")
        return HttpResponseRedirect(path_to("room", "session") + (f"?{query}" if query else ""))

    @extend_schema(
        operation_id="join_room",
        summary="The credentials to join a room",
        description="The first visit makes the room; later ones get the same session.",
        parameters=[
            OpenApiParameter(
                "e2ee",
                bool,
                description="`true`: if this makes the room, its session is end-to-end encrypted.",
            ),
            OpenApiParameter("code", str, description="The room's access code, if it has one."),
            OpenApiParameter(
                "X-Access-Code",
                str,
                OpenApiParameter.HEADER,
                description="The same; it counts before `code`.",
            ),
            OpenApiParameter(
                "X-Recording-Consent",
                str,
                OpenApiParameter.HEADER,
                description="`yes`: the person agrees to being recorded.",
            ),
            OpenApiParameter(
                "X-Ticket",
                str,
                OpenApiParameter.HEADER,
                description="Of a guest who was let in from the room's waiting room.",
            ),
        ],
        responses={200: CredentialsSerializer},
        extensions={
            "x-codes": {"room_name_invalid", "room_not_covered", *KEPT_OUT, *ANY_CALL},
        },
    )
    def retrieve(self, request: Request, name: str) -> Response:
        if error := request.META.get(quick.ERROR):
            raise error
        check_key_covers(key_of(request), name)
        e2ee = request.query_params.get("e2ee", "").lower() == "true"
        who = visitor(request)
        room = Room.objects.open(name, e2ee=e2ee, visitor=who)
        data = room.connection_data(who)
        return Response(credentials_for(room, role=who.role, data=data))

    @extend_schema(
        operation_id="peek_at_room",
        summary="Whether a room exists",
        description="It does not make the room.",
        responses={200: OpenApiResponse(description="There is such a room.")},
        extensions={"x-codes": AT_A_ROOM},
    )
    def peek(self, request: Request, name: str) -> Response:
        """HEAD: whether the room exists. It makes none."""
        check_key_covers(key_of(request), name)
        Room.objects.find(name)
        return Response()


def visitor(request: Request) -> Visitor:
    """The access code is in a header, or in the query, which `/session` passes on."""
    invitation = invitation_of(request)
    return Visitor(
        key=key_of(request),
        code=request.META.get("HTTP_X_ACCESS_CODE") or request.query_params.get("code", ""),
        client=client_ident(request),
        invitation=invitation,
        role=invitation.role if invitation else "",
        ticket=request.META.get("HTTP_X_TICKET", ""),
        agrees_to_recording=request.META.get("HTTP_X_RECORDING_CONSENT", "").lower() == "yes",
    )
