"""Meetings, attendance and bans."""

from typing import Any

from rest_framework import serializers

from api.serializers import IdField, PageSerializer, StrictSerializer
from api.times import MomentField
from meetings.models import MAX_DATA
from rooms.models import Ban


class MeetingQuerySerializer(PageSerializer):
    room = serializers.CharField(required=False, trim_whitespace=False, help_text="A room's name.")
    running = serializers.BooleanField(
        required=False, help_text="`true`: meetings that go on now; `false`: those that have ended."
    )
    startedAfter = MomentField(  # noqa: N815  the wire's spelling, here and below
        source="started_at__gte", required=False, help_text="This moment included."
    )
    startedBefore = MomentField(  # noqa: N815
        source="started_at__lt", required=False, help_text="This moment not included."
    )


class MeetingSerializer(serializers.Serializer):
    """From the first who connects to a room's session to the last who leaves it."""

    id = serializers.IntegerField()
    room = serializers.CharField(source="room_name", help_text="Its name; empty for none.")
    sessionId = serializers.CharField(source="session_id")  # noqa: N815
    startedAt = serializers.DateTimeField(source="started_at")  # noqa: N815
    endedAt = serializers.DateTimeField(  # noqa: N815
        source="ended_at", allow_null=True, help_text="Null while it goes on."
    )
    people = serializers.IntegerField(
        help_text="How many people there were, each `identity` in connection data once; 0 while it "
        "goes on."
    )
    personSeconds = serializers.IntegerField(  # noqa: N815
        source="person_seconds", help_text="The time of all people together, in seconds."
    )


class AttendanceQuerySerializer(StrictSerializer):
    format = serializers.ChoiceField(
        ["json", "csv"], default="json", help_text="`csv`: as a table."
    )


class PublishedSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField(help_text="camera, screen, custom, or absent for sound alone.")
    startedAt = serializers.DateTimeField(source="started_at")  # noqa: N815
    endedAt = serializers.DateTimeField(source="ended_at", allow_null=True)  # noqa: N815
    reason = serializers.CharField(help_text="Why it ended, as OpenTok says.")


class PersonSerializer(serializers.Serializer):
    """A client in a meeting. One who comes back is another one."""

    connectionId = serializers.CharField(source="pk")  # noqa: N815
    name = serializers.CharField(
        help_text="As their connection data or their stream says it; empty if neither does."
    )
    data = serializers.CharField(  # type: ignore[assignment]  # a field is no attribute in the end
        help_text="The connection data of their token."
    )
    connectedAt = serializers.DateTimeField(source="connected_at")  # noqa: N815
    leftAt = serializers.DateTimeField(source="left_at", allow_null=True)  # noqa: N815
    reason = serializers.CharField(help_text="Why they left, as OpenTok says.")
    streams = PublishedSerializer(many=True)


class AttendanceSerializer(serializers.Serializer):
    items = PersonSerializer(many=True)


class PresenceSerializer(serializers.Serializer):
    meeting = MeetingSerializer(allow_null=True, help_text="Null: nobody is in the room.")
    items = PersonSerializer(many=True)


class BanSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    identity = serializers.CharField(
        help_text="`identity` of their connection data, if that is a JSON object; else all of it."
    )
    name = serializers.CharField(help_text="What they were called; may be empty.")
    until = serializers.SerializerMethodField(help_text="`meeting_ends`, or null: for good.")
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815

    def get_until(self, ban: Ban) -> str | None:
        return "meeting_ends" if ban.meeting_id else None


class BanListSerializer(serializers.Serializer):
    items = BanSerializer(many=True)


class NewBanSerializer(StrictSerializer):
    """Who is connected now, by `connectionId`, who is also removed; or anybody by `identity`."""

    connectionId = IdField(source="connection_id", required=False)  # noqa: N815
    identity = serializers.CharField(
        required=False,
        max_length=MAX_DATA,
        trim_whitespace=False,
        help_text="As in tokens' `data`.",
    )
    until = serializers.ChoiceField(
        ["meeting_ends"], required=False, allow_null=True, help_text="Null or nothing: for good."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("connection_id" in attrs) == ("identity" in attrs):
            raise serializers.ValidationError({"identity": "Send either this or connectionId."})
        return attrs
