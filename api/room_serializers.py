from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access import codes
from api.serializers import PageSerializer, StrictSerializer
from api.times import MomentField
from rooms.hours import Hours, as_column, column_as_json
from rooms.models import Role
from rooms.ownership import MAX_NOTES
from rooms.policy import MAX_DAYS, MAX_MINUTES, MAX_PEOPLE, MAX_TOKEN_SECONDS, MIN_TOKEN_SECONDS

# Of a day, each such as 08:00-10:00.
TIMES = {"type": "array", "items": {"type": "string"}}


class RoomQuerySerializer(PageSerializer):
    search = serializers.CharField(
        required=False,
        trim_whitespace=False,
        help_text="Part of a room's name, in any case and with or without accents; or a whole "
        "session id, present or past.",
    )
    closed = serializers.BooleanField(required=False)
    e2ee = serializers.BooleanField(required=False)


class OwnerField(serializers.CharField):
    """A user by name."""

    def to_internal_value(self, data: Any) -> Any:
        name = super().to_internal_value(data)
        self.run_validators(name)  # PostgreSQL takes no NUL
        user = User.objects.filter(username=name).first()
        if user is None:
            raise serializers.ValidationError("There is no user of this name.")
        return user

    def to_representation(self, value: Any) -> Any:
        return value.username


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            "timeZone": {"type": "string"},
            "week": {"type": "object", "additionalProperties": TIMES},
            "dates": {"type": "object", "additionalProperties": TIMES},
        },
        "required": ["timeZone", "week"],
        "example": {
            "timeZone": "Europe/Berlin",
            "week": {"mon": ["08:00-10:00", "13:00-17:00"]},
            "dates": {"2026-12-24": []},
        },
    }
)
class WeeklyHoursField(serializers.Field):
    """The text of the column, as an object."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return as_column(Hours.read(data))
        except ValueError as error:
            raise serializers.ValidationError(f"{error}.") from None

    def to_representation(self, value: str) -> Any:
        return column_as_json(value)


class PolicySerializer(StrictSerializer):
    """What may be changed in a room."""

    owner = OwnerField(
        required=False,
        allow_null=True,
        help_text="The user name of the person whose room it is. Null: nobody's.",
    )
    notes = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_NOTES,
        help_text="For staff and programs that manage rooms. Visitors do not see it.",
    )

    closed = serializers.BooleanField(
        required=False, help_text="Nobody gets in, whatever else is set."
    )
    opensAt = MomentField(  # noqa: N815  the wire's spelling, here and below
        source="opens_at", required=False, allow_null=True, help_text="Null: it is open already."
    )
    closesAt = MomentField(  # noqa: N815
        source="closes_at",
        required=False,
        allow_null=True,
        help_text="No token is good for longer. Null: never.",
    )
    weeklyHours = WeeklyHoursField(  # noqa: N815
        source="weekly_hours",
        required=False,
        allow_null=True,
        help_text="When it is open, in a time zone: days of the week, and dates with other hours. "
        "Null: at all times.",
    )
    accessCode = serializers.CharField(  # noqa: N815
        source="access_code",
        required=False,
        allow_null=True,
        max_length=codes.MAX_LENGTH,
        write_only=True,
        help_text="Visitors are asked for it. It cannot be read again. Null: there is none. Eight "
        "random digits or more cannot be guessed; four can, in some days.",
    )
    waitingRoom = serializers.BooleanField(  # noqa: N815
        source="waiting_room",
        required=False,
        help_text="Visitors wait until a moderator of the room lets them in.",
    )
    recordingConsent = serializers.BooleanField(  # noqa: N815
        source="recording_consent",
        required=False,
        help_text="Visitors have to agree to being recorded before they join.",
    )
    recordMeetings = serializers.BooleanField(  # noqa: N815
        source="record_meetings",
        required=False,
        help_text="Every meeting is recorded, from the first person who joins to the last who "
        "leaves. Not in an end-to-end encrypted room. Consent is asked for only if "
        "`recordingConsent` is set as well.",
    )
    recordingDays = serializers.IntegerField(  # noqa: N815
        source="recording_days",
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_DAYS,
        help_text="Days after which the files of its recordings are deleted. Null: as the server "
        "says for every room.",
    )
    maxParticipants = serializers.IntegerField(  # noqa: N815
        source="max_participants",
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_PEOPLE,
        help_text="The most people at once. Null: as many as come.",
    )
    maxMeetingMinutes = serializers.IntegerField(  # noqa: N815
        source="max_meeting_minutes",
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_MINUTES,
        help_text="After so long everybody is disconnected; the signal `meetingEnds` says so five "
        "minutes and one minute before. Null: no limit.",
    )
    tokenRole = serializers.ChoiceField(  # noqa: N815
        Role.choices,
        source="token_role",
        required=False,
        allow_null=True,
        help_text="What those who join may do. Null: as TOKEN_ROLE says for every room.",
    )
    tokenLifetime = serializers.IntegerField(  # noqa: N815
        source="token_lifetime",
        required=False,
        allow_null=True,
        min_value=MIN_TOKEN_SECONDS,
        max_value=MAX_TOKEN_SECONDS,
        help_text="Seconds that a token is good for. Null: as TOKEN_TTL says for every room.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        opens, closes = self._moment("opens_at", attrs), self._moment("closes_at", attrs)
        if opens and closes and opens >= closes:
            raise serializers.ValidationError({"closesAt": "A room cannot close before it opens."})
        # Text has no null in our database.
        for name in {"access_code", "token_role", "weekly_hours"} & attrs.keys():
            attrs[name] = attrs[name] or ""
        return attrs

    def _moment(self, name: str, attrs: dict[str, Any]) -> datetime | None:
        moment: datetime | None = attrs.get(name, getattr(self.instance, name, None))
        return moment


class NewRoomSerializer(PolicySerializer):
    name = serializers.CharField(
        trim_whitespace=False,
        help_text="1 to 200 characters, no control characters. Case counts.",
    )
    e2ee = serializers.BooleanField(
        default=False, help_text="Whether its sessions are end-to-end encrypted."
    )


class DeletionQuerySerializer(StrictSerializer):
    keepClosed = serializers.BooleanField(  # noqa: N815
        source="keep_closed",
        default=False,
        help_text="`true`: asking for this name makes no room; visitors are told that it is "
        "closed, until it is opened again in the admin, or by making a room of this name here.",
    )


class RoleField(serializers.ChoiceField):
    """Null where the column is empty."""

    def to_representation(self, value: Any) -> Any:
        return value or None


class PastSessionSerializer(serializers.Serializer):
    sessionId = serializers.CharField(source="session_id")  # noqa: N815
    replacedAt = serializers.DateTimeField(source="replaced_at")  # noqa: N815


class RoomInListSerializer(serializers.Serializer):
    """A room, as it is in a list."""

    name = serializers.CharField()
    sessionId = serializers.CharField(source="session_id")  # noqa: N815
    e2ee = serializers.BooleanField()
    owner = OwnerField(allow_null=True)
    notes = serializers.CharField()
    closed = serializers.BooleanField()
    opensAt = serializers.DateTimeField(source="opens_at", allow_null=True)  # noqa: N815
    closesAt = serializers.DateTimeField(source="closes_at", allow_null=True)  # noqa: N815
    weeklyHours = WeeklyHoursField(source="weekly_hours", allow_null=True)  # noqa: N815
    hasAccessCode = serializers.BooleanField(source="access_code")  # noqa: N815
    waitingRoom = serializers.BooleanField(source="waiting_room")  # noqa: N815
    recordingConsent = serializers.BooleanField(source="recording_consent")  # noqa: N815
    recordMeetings = serializers.BooleanField(source="record_meetings")  # noqa: N815
    recordingDays = serializers.IntegerField(  # noqa: N815
        source="recording_days", allow_null=True
    )
    maxParticipants = serializers.IntegerField(  # noqa: N815
        source="max_participants", allow_null=True
    )
    maxMeetingMinutes = serializers.IntegerField(  # noqa: N815
        source="max_meeting_minutes", allow_null=True
    )
    tokenRole = RoleField(Role.choices, source="token_role", allow_null=True)  # noqa: N815
    tokenLifetime = serializers.IntegerField(source="token_lifetime", allow_null=True)  # noqa: N815
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    lastUsedAt = serializers.DateTimeField(source="last_used_at")  # noqa: N815


class RoomSerializer(RoomInListSerializer):
    """A room, with the sessions that it had before: its older recordings are of those."""

    pastSessions = PastSessionSerializer(source="past_sessions", many=True)  # noqa: N815
