from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from access.authentication import key_of
from api.serializers import StrictSerializer
from api.viewsets import DONE, ManagingViewSet, done, example
from rooms.coverage import check_key_covers
from rooms.invitations import invite, revoke_all
from rooms.models import Role, Room
from rooms.paths import path_to
from rooms.views import AT_A_ROOM

DAY = 86_400


class NewInvitationSerializer(StrictSerializer):
    role = serializers.ChoiceField(
        Role.choices, default=Role.PUBLISHER, help_text="The role of those who join with it."
    )
    lifetime = serializers.IntegerField(
        default=7 * DAY,
        min_value=60,
        max_value=365 * DAY,
        help_text="Seconds until the link expires.",
    )


class InvitationSerializer(serializers.Serializer):
    url = serializers.URLField(
        help_text="The join page. Browsers do not send the part behind the `#` to servers."
    )
    invitation = serializers.CharField(
        help_text="For apps: send it to /room/<name> as `Authorization: Bearer …`."
    )
    role = serializers.ChoiceField(Role.choices)
    expiresAt = serializers.DateTimeField()  # noqa: N815


@extend_schema(tags=["Managing rooms"])
class InvitationViewSet(ManagingViewSet):
    """Links into a room."""

    serializer_class = InvitationSerializer
    limit = "join"

    @extend_schema(
        operation_id="invite",
        summary="A link into a room",
        description="People who have the link join in its role, and need no API key and no access "
        "code. An invited moderator does not wait in the waiting room. All other policies hold.",
        request=NewInvitationSerializer,
        examples=example(role="moderator", lifetime=DAY),
        responses={201: InvitationSerializer},
        extensions={"x-codes": {"invalid", *AT_A_ROOM}},
    )
    def create(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        chosen: dict[str, Any] = NewInvitationSerializer.read(request.data)
        room = Room.objects.find(name)
        invitation = invite(room, **chosen)
        signed = invitation.signed()
        page = request.build_absolute_uri(path_to("join", room.name))
        shown = InvitationSerializer(
            {
                "url": f"{page}#{signed}",
                "invitation": signed,
                "role": invitation.role,
                "expiresAt": invitation.expires_at,
            }
        )
        return Response(shown.data, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="revoke_invitations",
        summary="Revoke all links into a room",
        description="People who have joined stay in the room.",
        responses={204: DONE},
        extensions={"x-codes": AT_A_ROOM},
    )
    def destroy(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        revoke_all(Room.objects.find(name))
        return done()
