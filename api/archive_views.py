from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from access.authentication import key_of
from api.archive_serializers import (
    DAY,
    ArchiveQuerySerializer,
    ArchiveSerializer,
    LayoutSerializer,
    NewArchiveSerializer,
    NewShareSerializer,
    ShareSerializer,
    StreamSerializer,
)
from api.serializers import NothingSerializer
from api.viewsets import DONE, ManagingViewSet, done, example
from archives.coverage import check_key_covers_archive
from archives.models import Archive
from archives.views import AT_AN_ARCHIVE, NOT_STARTED
from rooms.coverage import check_key_covers, check_key_covers_session
from rooms.models import Room
from rooms.views import AT_A_ROOM, LOCATION
from video.answers import Remote
from video.errors import ANY_CALL

AT_A_STREAM = {"archive_not_running", "stream_not_found", "streams_not_manual"}


@extend_schema(tags=["Managing recordings"])
class ArchiveViewSet(ManagingViewSet):
    """Recordings. The list is what was last heard of them; for the rest OpenTok is asked."""

    serializer_class = ArchiveSerializer
    limit = "record"
    limits = {"list": "archive", "retrieve": "archive"}

    @extend_schema(
        operation_id="find_archives",
        summary="Recordings, the newest first",
        description="As OpenTok last reported them.",
        parameters=[ArchiveQuerySerializer],
        responses={200: ArchiveSerializer(many=True)},
        extensions={"x-codes": {"invalid", "cursor_invalid", *AT_A_ROOM}},
    )
    def list(self, request: Request) -> Response:
        chosen = ArchiveQuerySerializer.read(request.query_params.dict())
        key = key_of(request)
        if room := chosen.get("room"):
            check_key_covers(key, room)
        if session_id := chosen.get("session_id"):
            check_key_covers_session(key, session_id)
        prefix = key.room_prefix if key else ""
        page = self.paginate_queryset(Archive.objects.matching(prefix=prefix, **chosen)) or []
        described = Archive.objects.described([archive.remote for archive in page])
        return self.get_paginated_response(ArchiveSerializer(described, many=True).data)

    @extend_schema(
        operation_id="start_archive",
        summary="Start recording a room",
        parameters=[LOCATION],
        request=NewArchiveSerializer,
        examples=example(room="exam"),
        responses={201: ArchiveSerializer},
        extensions={"x-codes": AT_A_ROOM | NOT_STARTED | ANY_CALL},
    )
    def create(self, request: Request) -> Response:
        chosen = NewArchiveSerializer.read(request.data)
        key = key_of(request)
        if room := chosen.pop("room", None):
            check_key_covers(key, room)
            chosen["session_id"] = Room.objects.find(room).session_id
        else:
            check_key_covers_session(key, chosen["session_id"])
        remote = Archive.objects.start(**chosen)
        headers = {"Location": f"/api/v1/archives/{remote['id']}"}
        return Response(shown(remote), status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        operation_id="get_archive",
        summary="A recording as it is now",
        responses={200: ArchiveSerializer},
        extensions={"x-codes": AT_AN_ARCHIVE | ANY_CALL},
    )
    def retrieve(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        remote = Archive.objects.fetch(archive_id)
        return Response(shown(Archive.objects.with_links(remote)))

    @extend_schema(
        operation_id="delete_archive",
        summary="Delete a recording and its file",
        responses={204: OpenApiResponse(description="Deleted.")},
        extensions={
            "x-codes": {
                "archive_held",
                "archive_not_deletable",
                "storage_failed",
                *AT_AN_ARCHIVE,
                *ANY_CALL,
            }
        },
    )
    def destroy(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        Archive.objects.remove(archive_id)
        return done()

    @extend_schema(
        operation_id="stop_archive",
        summary="Stop recording",
        request=None,
        responses={200: ArchiveSerializer},
        extensions={"x-codes": {"archive_not_running", *AT_AN_ARCHIVE, *ANY_CALL}},
    )
    def stop(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        NothingSerializer.read(request.data)
        return Response(shown(Archive.objects.stop(archive_id)))

    @extend_schema(
        operation_id="share_archive",
        summary="A link to a recording",
        description="People who have the link watch the recording, and need no API key.",
        request=NewShareSerializer,
        examples=example(lifetime=DAY),
        responses={201: ShareSerializer},
        extensions={"x-codes": {"invalid", *AT_AN_ARCHIVE, *ANY_CALL}},
    )
    def share(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        share = Archive.objects.share(archive_id, **NewShareSerializer.read(request.data))
        url = request.build_absolute_uri(share.path)
        shown = ShareSerializer({"url": url, "expiresAt": share.expires_at})
        return Response(shown.data, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="revoke_shares",
        summary="Revoke all links to a recording",
        responses={204: DONE},
        extensions={"x-codes": AT_AN_ARCHIVE},
    )
    def unshare(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        Archive.objects.revoke_shares(archive_id)
        return done()

    @extend_schema(
        operation_id="hold_archive",
        summary="Put a recording on hold",
        description="Neither people nor rules can delete it until the hold is ended.",
        request=None,
        responses={204: DONE},
        extensions={"x-codes": {"archive_not_holdable", *AT_AN_ARCHIVE, *ANY_CALL}},
    )
    def hold(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        NothingSerializer.read(request.data)
        Archive.objects.hold(archive_id)
        return done()

    @extend_schema(
        operation_id="release_archive",
        summary="End the hold of a recording",
        responses={204: DONE},
        extensions={"x-codes": AT_AN_ARCHIVE},
    )
    def release(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        Archive.objects.release(archive_id)
        return done()

    @extend_schema(
        operation_id="lay_out_archive",
        summary="Change the layout of a recording",
        request=LayoutSerializer,
        examples=example(type="pip"),
        responses={204: DONE},
        extensions={
            "x-codes": {
                "invalid",
                "archive_not_running",
                "layout_refused",
                *AT_AN_ARCHIVE,
                *ANY_CALL,
            }
        },
    )
    def lay_out(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        layout = LayoutSerializer.read(request.data)
        Archive.objects.lay_out(archive_id, layout)
        return done()

    @extend_schema(
        operation_id="add_stream",
        summary="Add a stream to a recording",
        description="Only with the `streamMode` manual.",
        request=StreamSerializer,
        examples=example(streamId="0a1b2c3d-0000-4000-8000-000000000000"),
        responses={204: DONE},
        extensions={"x-codes": AT_A_STREAM | AT_AN_ARCHIVE | ANY_CALL},
    )
    def add_stream(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        stream = StreamSerializer.read(request.data)
        Archive.objects.add_stream(archive_id, **stream)
        return done()

    @extend_schema(
        operation_id="remove_stream",
        summary="Remove a stream from a recording",
        description="Only with the `streamMode` manual.",
        responses={204: DONE},
        extensions={"x-codes": AT_A_STREAM | AT_AN_ARCHIVE | ANY_CALL},
    )
    def remove_stream(self, request: Request, archive_id: str, stream_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        Archive.objects.remove_stream(archive_id, stream_id)
        return done()


def shown(remote: Remote) -> Any:
    (described,) = Archive.objects.described([remote])
    return ArchiveSerializer(described).data
