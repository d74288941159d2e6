"""How the addresses of recordings are described."""

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from api.openapi.operations import ANY_BODY, OPENTOK, described, problems
from api.openapi.rooms import LOCATION
from archives.pages import not_viewable
from archives.serializers import ListQuerySerializer, StartSerializer

ID = OpenApiParameter(
    "archive_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH,
    description="The `id` that starting it answered with.",
)  # fmt: skip

AT_AN_ARCHIVE = ("room_not_covered", "archive_not_found", "archive_deleted")
NOT_STARTED = (
    "session_invalid", "archive_refused", "nobody_connected", "archive_conflict",
)  # fmt: skip


class RecordingSerializer(serializers.Serializer):
    """A recording as OpenTok has it at the moment. It may have more members than these."""

    id = serializers.UUIDField()
    status = serializers.CharField(
        help_text="`started`, `paused`, `stopped`, `uploaded`, `available`, `failed`, `expired` or "
        "`deleted`."
    )
    sessionId = serializers.CharField()  # noqa: N815
    name = serializers.CharField(allow_null=True, required=False, help_text="The room's name.")
    createdAt = serializers.IntegerField(  # noqa: N815
        required=False, help_text="Milliseconds since 1970."
    )
    duration = serializers.IntegerField(required=False, help_text="Seconds.")
    size = serializers.IntegerField(required=False, help_text="Bytes.")
    url = serializers.CharField(
        allow_null=True, required=False, help_text="Once available: a link for ten minutes."
    )


class Archives(OpenApiViewExtension):
    target_class = "archives.views.ArchiveViewSet"

    def view_replacement(self) -> Any:
        return described(
            self.target,
            tag="Recordings",
            list=extend_schema(
                operation_id="list_recordings",
                summary="All recordings, newest first",
                parameters=[ListQuerySerializer],
                responses={
                    200: RecordingSerializer(many=True),
                    **problems(
                        "invalid",
                        "session_invalid",
                        "session_not_named",
                        "room_not_covered",
                        *OPENTOK,
                    ),
                },
            ),
            start=extend_schema(
                operation_id="start_recording",
                summary="Start recording a session",
                request=StartSerializer,
                responses={
                    200: RecordingSerializer,
                    **problems(
                        *ANY_BODY,
                        "invalid",
                        "room_not_covered",
                        *NOT_STARTED,
                        *OPENTOK,
                    ),
                },
            ),
            stop=extend_schema(
                operation_id="stop_recording",
                summary="Stop a recording",
                description="Its file is ready some seconds to minutes later.",
                parameters=[ID],
                request=None,
                responses={
                    200: RecordingSerializer,
                    **problems(
                        *ANY_BODY,
                        *AT_AN_ARCHIVE,
                        "archive_not_running",
                        *OPENTOK,
                    ),
                },
            ),
            retrieve=extend_schema(
                operation_id="get_recording",
                summary="A recording as it is now",
                parameters=[ID],
                responses={
                    200: RecordingSerializer,
                    **problems(*AT_AN_ARCHIVE, *OPENTOK),
                },
            ),
            view=extend_schema(
                operation_id="view_recording",
                summary="To a recording's file",
                description="A browser gets a page that waits for it; a program, which names "
                "`application/json` in `Accept`, is told the state of the recording.",
                parameters=[ID, LOCATION],
                responses={
                    (200, "text/html"): OpenApiResponse(str, "A page about a recording."),
                    302: OpenApiResponse(description="To the file."),
                    **problems(
                        "room_not_covered",
                        "archive_not_found",
                        *not_viewable(),
                        *OPENTOK,
                    ),
                },
            ),
        )
