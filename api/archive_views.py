from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from access.authentication import key_of
from access.limits import Throttle
from api.archive_serializers import (
    ArchiveQuerySerializer,
    ArchiveSerializer,
    LayoutSerializer,
    NewArchiveSerializer,
    StreamSerializer,
)
from api.serializers import NothingSerializer
from api.viewsets import ManagingViewSet
from archives.coverage import check_key_covers_archive
from archives.models import Archive
from rooms.coverage import check_key_covers, check_key_covers_session
from rooms.models import Room
from video.answers import Remote


class ArchiveViewSet(ManagingViewSet):
    """Recordings. The list is what was last heard of them; for the rest OpenTok is asked."""

    serializer_class = ArchiveSerializer

    def get_throttles(self) -> list[BaseThrottle]:
        return [Throttle("archive" if self.action in {"list", "retrieve"} else "record")]

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

    def retrieve(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        return Response(shown(Archive.objects.fetch(archive_id)))

    def destroy(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        Archive.objects.remove(archive_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def stop(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        NothingSerializer.read(request.data)
        return Response(shown(Archive.objects.stop(archive_id)))

    def lay_out(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        layout = LayoutSerializer.read(request.data)
        Archive.objects.lay_out(archive_id, layout)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def add_stream(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        stream = StreamSerializer.read(request.data)
        Archive.objects.add_stream(archive_id, **stream)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def remove_stream(self, request: Request, archive_id: str, stream_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        Archive.objects.remove_stream(archive_id, stream_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def shown(remote: Remote) -> Any:
    (described,) = Archive.objects.described([remote])
    return ArchiveSerializer(described).data
