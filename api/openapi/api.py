"""How the addresses under /api/v1/ are described."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiViewExtension
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)

from api.archive_serializers import (
    ArchiveQuerySerializer,
    ArchiveSerializer,
    LayoutSerializer,
    NewArchiveSerializer,
    StreamSerializer,
)
from api.openapi.archives import AT_AN_ARCHIVE, ID, NOT_STARTED
from api.openapi.operations import ANY_BODY, OPENTOK, described, problems
from api.openapi.rooms import KEPT_OUT, NAME
from api.room_serializers import (
    DeletionQuerySerializer,
    NewRoomSerializer,
    PolicySerializer,
    RoomInListSerializer,
    RoomQuerySerializer,
    RoomSerializer,
)
from api.token_serializers import NewTokenSerializer, TokenSerializer

ONCE = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Sent again with the same key and body, it is answered again and not done again.",
)
LOCATION = OpenApiParameter("Location", str, OpenApiParameter.HEADER, response=[201])
AT_A_ROOM = ("room_name_invalid", "room_not_covered", "room_not_found")
# What can go wrong with any POST.
POSTED = (
    *ANY_BODY, "invalid", "idempotency_key_invalid", "idempotency_key_reused",
    "idempotency_in_progress",
)  # fmt: skip


def example(**body: Any) -> list[OpenApiExample]:
    """What the page of the documentation has to try: some of the fields exclude each other."""
    return [OpenApiExample("Such as", body, request_only=True)]


class Strict(OpenApiSerializerExtension):
    target_class = "api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


class Rooms(OpenApiViewExtension):
    target_class = "api.room_views.RoomViewSet"

    def view_replacement(self) -> Any:
        return described(
            self.target,
            tag="Managing rooms",
            list=extend_schema(
                operation_id="find_rooms",
                summary="Rooms, the newest first",
                parameters=[RoomQuerySerializer],
                responses={
                    200: RoomInListSerializer(many=True),
                    **problems("invalid", "cursor_invalid"),
                },
            ),
            create=extend_schema(
                operation_id="make_room",
                summary="A new room",
                description="Also of a name that was kept closed, which is open again by that.",
                parameters=[ONCE, LOCATION],
                request=NewRoomSerializer,
                examples=example(name="exam", accessCode="18151210"),
                responses={
                    201: RoomSerializer,
                    **problems(
                        "room_name_invalid", "room_not_covered", "room_exists", *POSTED, *OPENTOK
                    ),
                },
            ),
            retrieve=extend_schema(
                operation_id="get_room",
                summary="A room and its past sessions",
                parameters=[NAME],
                responses={200: RoomSerializer, **problems(*AT_A_ROOM)},
            ),
            partial_update=extend_schema(
                operation_id="change_room",
                summary="Change a room's policy",
                parameters=[NAME],
                request=PolicySerializer,
                examples=example(closed=False, tokenLifetime=600),
                responses={
                    200: RoomSerializer,
                    **problems(*AT_A_ROOM, *ANY_BODY, "invalid"),
                },
            ),
            destroy=extend_schema(
                operation_id="delete_room",
                summary="Delete a room",
                description="Whoever asks for the name next makes a room anew, without this one's "
                "policy and access code, unless the name is kept closed. Its recordings stay, and "
                "are found by its name and by their session, but by no key that is for some rooms "
                "only. Who is in the room stays there.",
                parameters=[NAME, DeletionQuerySerializer],
                responses={
                    204: OpenApiResponse(description="It is gone."),
                    **problems(*AT_A_ROOM, "invalid"),
                },
            ),
            new_session=extend_schema(
                operation_id="renew_session",
                summary="Give a room a new session",
                description="Who is in the room now stays behind in its old session.",
                parameters=[NAME, ONCE],
                request=None,
                responses={
                    200: RoomSerializer,
                    **problems(*AT_A_ROOM, *POSTED, *OPENTOK),
                },
            ),
            new_token=extend_schema(
                operation_id="make_token",
                summary="A token for one person",
                description="The room's policy holds, but no access code is asked for.",
                parameters=[NAME, ONCE],
                request=NewTokenSerializer,
                examples=example(role="moderator", lifetime=600),
                responses={
                    201: TokenSerializer,
                    **problems(*AT_A_ROOM, *KEPT_OUT[:3], *POSTED, *OPENTOK),
                },
            ),
        )


class Archives(OpenApiViewExtension):
    target_class = "api.archive_views.ArchiveViewSet"

    def view_replacement(self) -> Any:
        done = OpenApiResponse(description="Done.")
        not_running = ("archive_not_running", "stream_not_found", "streams_not_manual")
        stream = OpenApiParameter(
            "stream_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH
        )
        return described(
            self.target,
            tag="Managing recordings",
            list=extend_schema(
                operation_id="find_archives",
                summary="Recordings, the newest first",
                description="As OpenTok last told of them.",
                parameters=[ArchiveQuerySerializer],
                responses={
                    200: ArchiveSerializer(many=True),
                    **problems("invalid", "cursor_invalid", *AT_A_ROOM),
                },
            ),
            create=extend_schema(
                operation_id="start_archive",
                summary="Start recording a room",
                parameters=[ONCE, LOCATION],
                request=NewArchiveSerializer,
                examples=example(room="exam"),
                responses={
                    201: ArchiveSerializer,
                    **problems(*AT_A_ROOM, *NOT_STARTED, *POSTED, *OPENTOK),
                },
            ),
            retrieve=extend_schema(
                operation_id="get_archive",
                summary="A recording as it is now",
                parameters=[ID],
                responses={200: ArchiveSerializer, **problems(*AT_AN_ARCHIVE, *OPENTOK)},
            ),
            destroy=extend_schema(
                operation_id="delete_archive",
                summary="Delete a recording and its file",
                parameters=[ID],
                responses={
                    204: OpenApiResponse(description="It is gone."),
                    **problems(*AT_AN_ARCHIVE, "archive_not_deletable", *OPENTOK),
                },
            ),
            stop=extend_schema(
                operation_id="stop_archive",
                summary="Stop recording",
                parameters=[ID, ONCE],
                request=None,
                responses={
                    200: ArchiveSerializer,
                    **problems(*AT_AN_ARCHIVE, "archive_not_running", *POSTED, *OPENTOK),
                },
            ),
            lay_out=extend_schema(
                operation_id="lay_out_archive",
                summary="Arrange the streams of a recording anew",
                parameters=[ID],
                request=LayoutSerializer,
                examples=example(type="pip"),
                responses={
                    204: done,
                    **problems(
                        *AT_AN_ARCHIVE,
                        "archive_not_running",
                        "layout_refused",
                        *ANY_BODY,
                        "invalid",
                        *OPENTOK,
                    ),
                },
            ),
            add_stream=extend_schema(
                operation_id="add_stream",
                summary="Record a stream",
                description="In the `streamMode` manual.",
                parameters=[ID, ONCE],
                request=StreamSerializer,
                examples=example(streamId="0a1b2c3d-0000-4000-8000-000000000000"),
                responses={
                    204: done,
                    **problems(*AT_AN_ARCHIVE, *not_running, *POSTED, *OPENTOK),
                },
            ),
            remove_stream=extend_schema(
                operation_id="remove_stream",
                summary="Record a stream no more",
                description="In the `streamMode` manual.",
                parameters=[ID, stream],
                responses={204: done, **problems(*AT_AN_ARCHIVE, *not_running, *OPENTOK)},
            ),
        )
