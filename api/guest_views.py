from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.serializers import StrictSerializer
from api.session_views import ModeratingViewSet, room_of
from api.viewsets import example
from rooms.guests import Guest
from rooms.views import AT_A_ROOM


class GuestSerializer(serializers.Serializer):
    id = serializers.UUIDField(help_text="Also in the connection data of the guest's token.")
    name = serializers.CharField(help_text="As the guest has written it.")
    askedAt = serializers.DateTimeField(source="asked_at")  # noqa: N815
    admitted = serializers.BooleanField(
        source="is_admitted", allow_null=True, help_text="`null` while the guest waits."
    )


class GuestListSerializer(serializers.Serializer):
    items = GuestSerializer(many=True)


class AdmissionSerializer(StrictSerializer):
    admitted = serializers.BooleanField(help_text="`false` turns the guest away.")


@extend_schema(tags=["Moderating rooms"])
class GuestViewSet(ModeratingViewSet):
    """Guests in a room's waiting room."""

    takes_client_tokens = {"list_all", "partial_update"}
    serializer_class = GuestSerializer

    @extend_schema(
        operation_id="list_guests",
        summary="Who waits to be let in",
        description="The first one first; at most 100.",
        responses={200: GuestListSerializer},
        extensions={"x-codes": AT_A_ROOM},
    )
    def list_all(self, request: Request, name: str) -> Response:
        waiting = Guest.objects.waiting(room_of(request, name))
        return Response(GuestListSerializer({"items": waiting}).data)

    @extend_schema(
        operation_id="decide_about_guest",
        summary="Let a guest in, or turn them away",
        description="`false` also ends the ticket of a guest who has joined; it does not "
        "disconnect them.",
        request=AdmissionSerializer,
        examples=example(admitted=True),
        responses={200: GuestSerializer},
        extensions={"x-codes": {"invalid", "guest_not_found", *AT_A_ROOM}},
    )
    def partial_update(self, request: Request, name: str, guest_id: str) -> Response:
        room = room_of(request, name)
        decided = AdmissionSerializer.read(request.data)
        guest = Guest.objects.decide(room, guest_id, admit=decided["admitted"])
        return Response(GuestSerializer(guest).data)
