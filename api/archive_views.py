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
from archives.models import Archive
from rooms.models import Room
from video.answers import Remote


class ArchiveViewSet(ManagingViewSet):
    """Recordings. The list is what was last heard of them; for the rest OpenTok is asked."""

    serializer_class = ArchiveSerializer

    def get_throttles(self) -> list[BaseThrottle]:
        return [Throttle("archive" if self.action in {"list", "retrieve"} else "record")]

    def list(self, request: Request) -> Response:
        chosen = ArchiveQuerySerializer.read(request.query_params.dict())
        page = self.paginate_queryset(Archive.objects.matching(key=key_of(request), **chosen)) or []
        described = Archive.objects.described([archive.remote for archive in page])
        return self.get_paginated_response(ArchiveSerializer(described, many=True).data)

    def create(self, request: Request) -> Response:
        chosen = NewArchiveSerializer.read(request.data)
        key = key_of(request)
        if room := chosen.pop("room", None):
            chosen["session_id"] = Room.objects.find(room, key=key).session_id
        remote = Archive.objects.start(**chosen, key=key)
        headers = {"Location": f"/api/v1/archives/{remote['id']}"}
        return Response(shown(remote), status.HTTP_201_CREATED, headers=headers)

    def retrieve(self, request: Request, archive_id: str) -> Response:
        return Response(shown(Archive.objects.fetch(archive_id, key=key_of(request))))

    def destroy(self, request: Request, archive_id: str) -> Response:
        Archive.objects.remove(archive_id, key=key_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def stop(self, request: Request, archive_id: str) -> Response:
        NothingSerializer.read(request.data)
        return Response(shown(Archive.objects.stop(archive_id, key=key_of(request))))

    def lay_out(self, request: Request, archive_id: str) -> Response:
        layout = LayoutSerializer.read(request.data)
        Archive.objects.lay_out(archive_id, layout, key=key_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def add_stream(self, request: Request, archive_id: str) -> Response:
        stream = StreamSerializer.read(request.data)
        Archive.objects.add_stream(archive_id, **stream, key=key_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def remove_stream(self, request: Request, archive_id: str, stream_id: str) -> Response:
        Archive.objects.remove_stream(archive_id, stream_id, key=key_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def shown(remote: Remote) -> Any:
    (described,) = Archive.objects.described([remote])
    return ArchiveSerializer(described).data
