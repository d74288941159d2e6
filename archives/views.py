from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from access.authentication import key_of
from access.capabilities import Capability
from archives.coverage import check_key_covers_archive, check_key_covers_list
from archives.models import Archive
from archives.pages import ArchiveNotViewable, page_for
from archives.serializers import ListQuerySerializer, RecordingSerializer, StartSerializer
from archives.states import Status
from rooms.coverage import check_key_covers_session
from rooms.views import LOCATION
from video.answers import Remote
from video.errors import ANY_CALL
from web.problems import named_in_accept

AT_AN_ARCHIVE = {"room_not_covered", "archive_not_found", "archive_deleted"}
NOT_STARTED = {"session_invalid", "archive_refused", "nobody_connected", "archive_conflict"}
IN_STORAGE = {"archive_not_stored", "storage_failed"}
NOT_VIEWABLE = {f"archive_{status}" for status in Status if status != Status.AVAILABLE}


@extend_schema(tags=["Recordings"])
class ArchiveViewSet(ViewSet):
    """Recordings. Answers are OpenTok's objects, unchanged."""

    needs = {
        "list": Capability.LIST,
        "start": Capability.RECORD,
        "stop": Capability.RECORD,
        "retrieve": Capability.VIEW,
        "view": Capability.VIEW,
    }
    takes_staff = {"view": "archives.view_archive"}
    limit = "archive"
    limits = {"start": "record", "stop": "record"}

    @extend_schema(
        operation_id="list_recordings",
        summary="All recordings, newest first",
        parameters=[ListQuerySerializer],
        responses={200: RecordingSerializer(many=True)},
        extensions={
            "x-codes": {
                "invalid",
                "session_invalid",
                "session_not_named",
                "room_not_covered",
                *ANY_CALL,
            }
        },
    )
    def list(self, request: Request) -> Response:
        query = ListQuerySerializer.read(request.query_params)
        check_key_covers_list(key_of(request), query["session_id"])
        return Response(Archive.objects.fetch_list(**query))

    @extend_schema(
        operation_id="start_recording",
        summary="Start recording a session",
        request=StartSerializer,
        responses={200: RecordingSerializer},
        extensions={"x-codes": {"invalid", "room_not_covered", *NOT_STARTED, *ANY_CALL}},
    )
    def start(self, request: Request) -> Response:
        body = StartSerializer.read(request.data)
        check_key_covers_session(key_of(request), body["session_id"])
        return Response(Archive.objects.start(**body))

    @extend_schema(
        operation_id="stop_recording",
        summary="Stop a recording",
        description="Its file is ready some seconds to minutes later.",
        request=None,
        responses={200: RecordingSerializer},
        extensions={"x-codes": {"archive_not_running", *AT_AN_ARCHIVE, *ANY_CALL}},
    )
    def stop(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        request.data  # noqa: B018  nothing is read from the body, but a broken one is refused
        return Response(Archive.objects.stop(archive_id))

    @extend_schema(
        operation_id="get_recording",
        summary="A recording as it is now",
        responses={200: RecordingSerializer},
        extensions={"x-codes": {*AT_AN_ARCHIVE, *ANY_CALL}},
    )
    def retrieve(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        return Response(Archive.objects.fetch(archive_id))

    @extend_schema(
        operation_id="view_recording",
        summary="To a recording's file",
        description="A browser gets a page that waits for it; a program, which names "
        "`application/json` in `Accept`, is told the state of the recording.",
        parameters=[LOCATION],
        responses={
            (200, "text/html"): OpenApiResponse(str, "A page about a recording."),
            302: OpenApiResponse(description="To the file."),
        },
        extensions={
            "x-codes": {
                "room_not_covered",
                "archive_not_found",
                *IN_STORAGE,
                *NOT_VIEWABLE,
                *ANY_CALL,
            }
        },
    )
    def view(self, request: Request, archive_id: str) -> HttpResponse:
        check_key_covers_archive(key_of(request), archive_id)
        return _shown(request, Archive.objects.fetch(archive_id))


class SharedView(APIView):
    """A recording for people with a link to it: archives/sharing.py."""

    authentication_classes = ()
    permission_classes = ()
    limit = "archive"

    def get(self, request: Request, link: str) -> HttpResponse:
        return _shown(request, Archive.objects.fetch_shared(link))


def _shown(request: Request, remote: Remote) -> HttpResponse:
    """A redirect to the file, by a new link, or a page about the recording's state."""
    if link := Archive.objects.link(remote):
        return HttpResponseRedirect(link)
    archive = Archive.objects.as_row(remote)
    page = page_for(archive, now=timezone.now())
    if named_in_accept(request._request) == "json":
        raise ArchiveNotViewable(page, status=archive.status)
    context = {"archive": archive, "page": page}
    return render(request._request, page.template, context, status=page.status_code)
