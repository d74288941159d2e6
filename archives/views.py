from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from access.authentication import key_of
from access.capabilities import Capability
from access.limits import Throttle
from archives.coverage import check_key_covers_archive, check_key_covers_list
from archives.models import Archive
from archives.pages import ArchiveNotViewable, page_for
from archives.serializers import ListQuerySerializer, StartSerializer
from rooms.coverage import check_key_covers_session
from video import callbacks
from video.client import download_url
from web.problems import named_in_accept


class ArchiveViewSet(ViewSet):
    """Recordings, as OpenTok has them at the moment: each answer is its own object, unchanged."""

    needs = {
        "list": Capability.LIST,
        "start": Capability.RECORD,
        "stop": Capability.RECORD,
        "retrieve": Capability.VIEW,
        "view": Capability.VIEW,
    }

    def get_throttles(self) -> list[BaseThrottle]:
        return [Throttle("record" if self.action in {"start", "stop"} else "archive")]

    def list(self, request: Request) -> Response:
        query = ListQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        check_key_covers_list(key_of(request), query.validated_data.get("session_id"))
        return Response(Archive.objects.fetch_list(**query.validated_data))

    def start(self, request: Request) -> Response:
        body = StartSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        check_key_covers_session(key_of(request), body.validated_data["session_id"])
        return Response(Archive.objects.start(**body.validated_data))

    def stop(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        request.data  # noqa: B018  nothing is read from the body, but a broken one is refused
        return Response(Archive.objects.stop(archive_id))

    def retrieve(self, request: Request, archive_id: str) -> Response:
        check_key_covers_archive(key_of(request), archive_id)
        return Response(Archive.objects.fetch(archive_id))

    def view(self, request: Request, archive_id: str) -> HttpResponse:
        """To the recording, by a link that OpenTok signed just now, or to a page about it."""
        check_key_covers_archive(key_of(request), archive_id)
        remote = Archive.objects.fetch(archive_id)
        if link := download_url(remote):
            return HttpResponseRedirect(link)
        archive = Archive.objects.as_row(remote)
        page = page_for(archive, now=timezone.now())
        if named_in_accept(request._request) == "json":
            raise ArchiveNotViewable(page, status=archive.status)
        context = {"archive": archive, "page": page}
        return render(request._request, page.template, context, status=page.status_code)


class CallbackView(APIView):
    """What OpenTok tells by itself: see video/callbacks.py, which knows who is calling."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()  # all come from OpenTok's few addresses; what is refused counts

    def post(self, request: Request) -> Response:
        signature = request.headers.get("Authorization", "")
        remote = callbacks.archive(request.body, authorization=signature)
        if remote is not None:
            Archive.objects.apply_callback(remote)
        return Response()
