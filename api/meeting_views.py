"""Meetings, attendance, presence and bans."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from access.authentication import key_of
from api.meeting_serializers import (
    AttendanceQuerySerializer,
    AttendanceSerializer,
    BanListSerializer,
    BanSerializer,
    MeetingQuerySerializer,
    MeetingSerializer,
    NewBanSerializer,
    PresenceSerializer,
)
from api.pagination import NewestFirst
from api.session_views import IN_A_SESSION, ModeratingViewSet, room_of, session_of
from api.viewsets import DONE, ManagingViewSet, done, example
from meetings import attendance
from meetings.models import Meeting
from meetings.presence import present, running_meeting
from rooms import related
from rooms.coverage import check_key_covers, check_key_covers_session
from rooms.models import Ban, Room
from rooms.names import clean_name
from rooms.views import AT_A_ROOM
from web.errors import Problem
from web.rows import row_id
from web.spreadsheets import csv_response


class NewestMeetingFirst(NewestFirst):
    ordering = ("-started_at", "-id")


@extend_schema(tags=["Meetings"])
class MeetingViewSet(ManagingViewSet):
    """What callbacks have told of rooms' sessions, and what OpenTok lists of them."""

    serializer_class = MeetingSerializer
    pagination_class = NewestMeetingFirst
    limit = "archive"

    @extend_schema(
        operation_id="find_meetings",
        summary="Meetings, the newest first",
        parameters=[MeetingQuerySerializer],
        responses={200: MeetingSerializer(many=True)},
        extensions={"x-codes": {"invalid", "cursor_invalid", *AT_A_ROOM}},
    )
    def list(self, request: Request) -> Response:
        chosen = MeetingQuerySerializer.read(request.query_params.dict())
        key = key_of(request)
        found = Meeting.objects.all()
        if "room" in chosen:
            name = clean_name(chosen.pop("room"))
            check_key_covers(key, name)
            found = found.filter(room_name=name)
        if key and key.room_prefix:
            found = related.of_sessions(found, Room.objects.matching(prefix=key.room_prefix))
        if "running" in chosen:
            found = found.filter(ended_at__isnull=chosen.pop("running"))
        page = self.paginate_queryset(found.filter(**chosen)) or []
        return self.get_paginated_response(MeetingSerializer(page, many=True).data)

    @extend_schema(
        operation_id="get_meeting",
        summary="A meeting",
        responses={200: MeetingSerializer},
        extensions={"x-codes": {"meeting_not_found", "room_not_covered"}},
    )
    def retrieve(self, request: Request, meeting_id: str) -> Response:
        return Response(MeetingSerializer(self._meeting(request, meeting_id)).data)

    @extend_schema(
        operation_id="get_attendance",
        summary="Who was in a meeting",
        description="In the order in which they came. Empty ATTENDANCE_DAYS after the end of the "
        "meeting. `?format=csv` gives CSV.",
        parameters=[AttendanceQuerySerializer],
        responses={200: AttendanceSerializer},
        extensions={"x-codes": {"invalid", "meeting_not_found", "room_not_covered"}},
    )
    def attendance(self, request: Request, meeting_id: str) -> HttpResponse:
        chosen = AttendanceQuerySerializer.read(request.query_params.dict())
        meeting = self._meeting(request, meeting_id)
        if chosen["format"] == "csv":
            return csv_response(
                f"meeting-{meeting.pk}.csv", attendance.COLUMNS, attendance.rows(meeting)
            )
        people = attendance.attendees(meeting)
        return Response(AttendanceSerializer({"items": people}).data)

    def _meeting(self, request: Request, meeting_id: str) -> Meeting:
        meeting = Meeting.objects.filter(pk=row_id(meeting_id)).first()
        if meeting is None:
            raise Problem("meeting_not_found")
        check_key_covers_session(key_of(request), meeting.session_id)
        return meeting


@extend_schema(tags=["Meetings"])
class PresenceViewSet(ModeratingViewSet):
    takes_client_tokens = {"retrieve"}
    serializer_class = PresenceSerializer

    @extend_schema(
        operation_id="get_presence",
        summary="Who is in a room now, by name",
        description="As callbacks reported it, without asking OpenTok. `…/connections` asks it.",
        responses={200: PresenceSerializer},
        extensions={"x-codes": AT_A_ROOM},
    )
    def retrieve(self, request: Request, name: str) -> Response:
        session_id = session_of(request, name)
        people = present(session_id).prefetch_related("streams").select_related("meeting")
        items = list(people)
        meeting = items[0].meeting if items else running_meeting(session_id)
        return Response(PresenceSerializer({"meeting": meeting, "items": items}).data)


@extend_schema(tags=["Meetings"])
class BanViewSet(ModeratingViewSet):
    takes_client_tokens = {"list_all", "create", "destroy"}
    serializer_class = BanSerializer

    @extend_schema(
        operation_id="list_bans",
        summary="Who is banned from a room",
        description="The newest first; at most 1,000.",
        responses={200: BanListSerializer},
        extensions={"x-codes": AT_A_ROOM},
    )
    def list_all(self, request: Request, name: str) -> Response:
        bans = Ban.objects.current(room_of(request, name))
        return Response(BanListSerializer({"items": bans}).data)

    @extend_schema(
        operation_id="ban",
        summary="Ban somebody from a room",
        description="People are recognised by the `data` of their token. Without any, a person "
        "cannot be banned.",
        request=NewBanSerializer,
        examples=example(identity="user-42", until="meeting_ends"),
        responses={201: BanSerializer},
        extensions={
            "x-codes": IN_A_SESSION
            | {"invalid", "connection_not_found", "identity_missing", "no_meeting", "bans_full"}
        },
    )
    def create(self, request: Request, name: str) -> Response:
        room = room_of(request, name)
        chosen: dict[str, Any] = NewBanSerializer.read(request.data)
        ends = chosen.get("until") is not None
        if connection_id := chosen.get("connection_id"):
            ban = Ban.objects.add_connected(room, connection_id, until_meeting_ends=ends)
        else:
            ban = Ban.objects.add(room, chosen["identity"], until_meeting_ends=ends)
        return Response(BanSerializer(ban).data, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="lift_ban",
        summary="Lift a ban",
        responses={204: DONE},
        extensions={"x-codes": AT_A_ROOM | {"ban_not_found"}},
    )
    def destroy(self, request: Request, name: str, ban_id: str) -> Response:
        Ban.objects.lift(room_of(request, name), row_id(ban_id))
        return done()
