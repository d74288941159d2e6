"""How the addresses of rooms are described."""

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from api.openapi.operations import OPENTOK, described, problems
from rooms.names import MAX_LENGTH

NAME = OpenApiParameter(
    "name",
    {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH},
    OpenApiParameter.PATH,
    description="What people call the room, percent-encoded.",
)
E2EE = OpenApiParameter(
    "e2ee", bool, description="`true`: if this makes the room, its session is end-to-end encrypted."
)
CODE = OpenApiParameter("code", str, description="The room's access code, if it has one.")
CODE_HEADER = OpenApiParameter(
    "X-Access-Code", str, OpenApiParameter.HEADER, description="The same; it counts before `code`."
)
LOCATION = OpenApiParameter("Location", str, OpenApiParameter.HEADER, response=[302])


KEPT_OUT = (
    "room_closed", "room_not_open_yet", "room_over", "access_code_required",
    "access_code_wrong",
)  # fmt: skip


class CredentialsSerializer(serializers.Serializer):
    """What OpenTok's and Vonage's clients need to join a room."""

    apiKey = serializers.CharField(help_text="For OpenTok's clients.")  # noqa: N815
    applicationId = serializers.CharField(help_text="The same, for Vonage's clients.")  # noqa: N815
    sessionId = serializers.CharField()  # noqa: N815
    token = serializers.CharField(
        help_text="A new one in each answer, good for the room's tokenLifetime or `TOKEN_TTL`, and "
        "not longer than the room is open."
    )


class Rooms(OpenApiViewExtension):
    target_class = "rooms.views.RoomViewSet"

    def view_replacement(self) -> Any:
        return described(
            self.target,
            tag="Rooms",
            session=extend_schema(
                operation_id="go_to_session",
                summary="To the room called “session”",
                parameters=[LOCATION],
                responses={302: OpenApiResponse(description="To `/room/session`."), **problems()},
            ),
            retrieve=extend_schema(
                operation_id="join_room",
                summary="The credentials to join a room",
                description="The first visit makes the room; later ones get the same session.",
                parameters=[NAME, E2EE, CODE, CODE_HEADER],
                responses={
                    200: CredentialsSerializer,
                    **problems(
                        "room_name_invalid",
                        "room_not_covered",
                        "room_unknown",
                        *KEPT_OUT,
                        *OPENTOK,
                    ),
                },
            ),
            peek=extend_schema(
                operation_id="peek_at_room",
                summary="Whether a room is there",
                description="Asking makes no room.",
                parameters=[NAME],
                responses={
                    200: OpenApiResponse(description="It is."),
                    **problems("room_name_invalid", "room_not_covered", "room_not_found"),
                },
            ),
        )
