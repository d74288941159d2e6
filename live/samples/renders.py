from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from access.authentication import key_of
from access.capabilities import Capability
from access.models import ApiKey
from live.models import Activity, Kind
from live.samples.bodies import AT_A_SESSION, read_about_session
from live.samples.serializers import (
    IdSerializer,
    RenderIdSerializer,
    RenderListSerializer,
    RenderSerializer,
    RendersSerializer,
    StartRenderSerializer,
)
from rooms.coverage import check_client_covers_session
from rooms.models import Room
from video.answers import Remote
from video.errors import ANY_CALL
from video.renders import list_renders

AT_A_RENDER = {"invalid", "room_not_covered", "render_not_found", *ANY_CALL}


@extend_schema(tags=["Renders"])
class RenderViewSet(ViewSet):
    """Web pages as streams of a session. The parameters of a GET may come in its body as well, as
    the sample server reads them.
    """

    needs = Capability.CALL
    limit = "archive"
    limits = {"start": "record", "stop": "record"}

    @extend_schema(
        operation_id="start_render",
        summary="Show a web page in a session",
        request=StartRenderSerializer,
        responses={200: RenderSerializer},
        extensions={"x-codes": {"render_refused", "nobody_connected", *AT_A_SESSION}},
    )
    def start(self, request: Request) -> Response:
        body = read_about_session(StartRenderSerializer, request)
        started = Activity.objects.start_render(body["session_id"], url=body["url"])
        return Response(started.answer)

    @extend_schema(
        operation_id="get_render",
        summary="A page in a session as it is now",
        parameters=[RenderIdSerializer],
        responses={200: RenderSerializer},
        extensions={"x-codes": AT_A_RENDER},
    )
    def info(self, request: Request) -> Response:
        render = Activity.objects.fetch(_render(request))
        over = {"id": str(render.pk), "sessionId": render.session_id, "status": render.status}
        return Response(render.answer or render.details | over)

    @extend_schema(
        operation_id="list_renders",
        summary="The pages in all sessions, newest first",
        description="Of these, a key for some rooms sees those of its rooms.",
        parameters=[RenderListSerializer],
        responses={200: RendersSerializer},
        extensions={"x-codes": {"invalid", *ANY_CALL}},
    )
    def list_all(self, request: Request) -> Response:
        remotes = list_renders(**RenderListSerializer.read(_told(request)))
        items = _covered(key_of(request), remotes)
        return Response({"count": len(items), "items": items})

    @extend_schema(
        operation_id="stop_render",
        summary="End a page in a session",
        description="It may be repeated.",
        parameters=[RenderIdSerializer],
        request=None,
        responses={200: IdSerializer},
        extensions={"x-codes": AT_A_RENDER},
    )
    def stop(self, request: Request) -> Response:
        render = _render(request)
        Activity.objects.stop(render)
        return Response({"id": str(render.pk)})


def _told(request: Request) -> dict[str, Any]:
    body = request.data if isinstance(request.data, dict) else {}
    return {**body, **request.query_params.dict()}


def _covered(key: ApiKey | None, remotes: list[Remote]) -> list[Remote]:
    """Those in sessions of rooms that the key is for."""
    if key is None or not key.room_prefix:
        return remotes
    rooms = Room.objects.by_session(remote["sessionId"] for remote in remotes)
    inside = {id_ for id_, room in rooms.items() if room.name.startswith(key.room_prefix)}
    return [remote for remote in remotes if remote["sessionId"] in inside]


def _render(request: Request) -> Activity:
    render = Activity.objects.find(Kind.RENDER, RenderIdSerializer.read(_told(request))["id"])
    check_client_covers_session(request, render.session_id)
    return render
