from django.db import transaction
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from access.authentication import key_of
from api.room_serializers import (
    DeletionQuerySerializer,
    NewRoomSerializer,
    PolicySerializer,
    RoomInListSerializer,
    RoomQuerySerializer,
    RoomSerializer,
)
from api.serializers import NothingSerializer
from api.token_serializers import NewTokenSerializer, TokenSerializer
from api.viewsets import ManagingViewSet, done, example
from audit.models import Entry
from rooms.coverage import check_key_covers
from rooms.credentials import credentials_for
from rooms.models import Room
from rooms.paths import path_to
from rooms.policy import Visitor
from rooms.views import AT_A_ROOM, LOCATION, SHUT
from video.errors import ANY_CALL


@extend_schema(tags=["Managing rooms"])
class RoomViewSet(ManagingViewSet):
    """Rooms: who gets in, and their sessions."""

    serializer_class = RoomSerializer
    limit = "join"
    limits = {"create": "create", "new_session": "create"}

    @extend_schema(
        operation_id="find_rooms",
        summary="Rooms, the newest first",
        parameters=[RoomQuerySerializer],
        responses={200: RoomInListSerializer(many=True)},
        extensions={"x-codes": {"invalid", "cursor_invalid"}},
    )
    def list(self, request: Request) -> Response:
        chosen = RoomQuerySerializer.read(request.query_params.dict())
        key = key_of(request)
        prefix = key.room_prefix if key else ""
        found = Room.objects.matching(prefix=prefix, **chosen).select_related("owner")
        rooms = self.paginate_queryset(found)
        return self.get_paginated_response(RoomInListSerializer(rooms, many=True).data)

    @extend_schema(
        operation_id="make_room",
        summary="A new room",
        description="A name that was kept closed can be used, and is open again then.",
        parameters=[LOCATION],
        request=NewRoomSerializer,
        examples=example(name="exam", accessCode="18151210"),
        responses={201: RoomSerializer},
        extensions={"x-codes": {"room_name_invalid", "room_not_covered", "room_exists", *ANY_CALL}},
    )
    def create(self, request: Request) -> Response:
        chosen = NewRoomSerializer.read(request.data)
        check_key_covers(key_of(request), chosen["name"])
        room = Room.objects.add(**chosen)
        headers = {"Location": path_to("api-room", room.name)}
        return Response(RoomSerializer(room).data, status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        operation_id="get_room",
        summary="A room and its past sessions",
        responses={200: RoomSerializer},
        extensions={"x-codes": AT_A_ROOM},
    )
    def retrieve(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        return Response(RoomSerializer(Room.objects.find(name)).data)

    @extend_schema(
        operation_id="change_room",
        summary="Change a room's policy",
        request=PolicySerializer,
        examples=example(closed=False, tokenLifetime=600),
        responses={200: RoomSerializer},
        extensions={"x-codes": {"invalid", *AT_A_ROOM}},
    )
    def partial_update(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        body = request.data  # read before the room is held, however slowly it comes
        with transaction.atomic():
            room = Room.objects.lock(name)
            room.change_policy(**PolicySerializer.read(body, room))
        return Response(RoomSerializer(room).data)

    @extend_schema(
        operation_id="delete_room",
        summary="Delete a room",
        description="The next visitor who asks for the name makes a new room, without this one's "
        "policy and access code, unless the name is kept closed. Its recordings stay. They are "
        "found by its name and by their session, but not with a key that is for some rooms only. "
        "People who are in the room stay in it.",
        parameters=[DeletionQuerySerializer],
        responses={204: OpenApiResponse(description="Deleted.")},
        extensions={"x-codes": {"invalid", *AT_A_ROOM}},
    )
    def destroy(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        chosen = DeletionQuerySerializer.read(request.query_params.dict())
        with transaction.atomic():
            Room.objects.remove([Room.objects.lock(name)], **chosen)
        return done()

    @extend_schema(
        operation_id="renew_session",
        summary="Give a room a new session",
        description="People who are in the room now stay in its old session.",
        request=None,
        responses={200: RoomSerializer},
        extensions={"x-codes": AT_A_ROOM | ANY_CALL},
    )
    def new_session(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        NothingSerializer.read(request.data)
        room = Room.objects.find(name)
        room.rotate_session()
        return Response(RoomSerializer(room).data)

    @extend_schema(
        operation_id="make_token",
        summary="A token for one person",
        description="The room's policy holds, but no access code is asked for.",
        request=NewTokenSerializer,
        examples=example(role="moderator", lifetime=600),
        responses={201: TokenSerializer},
        extensions={"x-codes": AT_A_ROOM | SHUT | ANY_CALL | {"banned"}},
    )
    def new_token(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        chosen = NewTokenSerializer.read(request.data)
        room = Room.objects.open_existing(name, visitor=Visitor(key=key_of(request)))
        token = TokenSerializer(credentials_for(room, **chosen))
        Entry.objects.note("token.made", room, role=chosen.get("role"))
        return Response(token.data, status.HTTP_201_CREATED)
