from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from access.capabilities import Capability
from live.models import Activity, Kind
from live.samples.bodies import AT_A_SESSION, read_about_session
from live.samples.serializers import IdSerializer, StartCaptionsSerializer
from rooms.coverage import check_client_covers_session
from video.errors import ANY_CALL


@extend_schema(tags=["Captions"])
class CaptionsViewSet(ViewSet):
    """Captions of a session, started by one of its participants."""

    takes_token_in_body = True
    needs = {"start": Capability.CAPTION, "stop": None}
    takes_client_tokens = {"start"}
    limit = "record"

    @extend_schema(
        operation_id="caption_session",
        summary="Start the captions of a session",
        description="In English, partial ones included. While they run, a second start answers "
        "with the same id.",
        request=StartCaptionsSerializer,
        responses={200: IdSerializer},
        extensions={
            "x-codes": {
                "captions_refused",
                "captions_running",
                "nobody_connected",
                *AT_A_SESSION,
            }
        },
    )
    def start(self, request: Request) -> Response:
        session_id = read_about_session(StartCaptionsSerializer, request)["session_id"]
        captions = Activity.objects.start_captions(session_id, partial_captions=True)
        return Response({"id": str(captions.pk)})

    @extend_schema(
        operation_id="end_captions",
        summary="Stop captions",
        description="It may be repeated.",
        request=None,
        responses={202: IdSerializer},
        extensions={
            "x-codes": {"room_not_covered", "session_not_covered", "captions_not_found", *ANY_CALL}
        },
    )
    def stop(self, request: Request, captions_id: str) -> Response:
        request.data  # noqa: B018  nothing is read from the body, but a broken one is refused
        captions = Activity.objects.find(Kind.CAPTIONS, captions_id)
        check_client_covers_session(request, captions.session_id)
        Activity.objects.stop(captions)
        return Response({"id": str(captions.pk)}, status=202)
