"""The audit log."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from access.authentication import key_of
from access.capabilities import Capability
from api.pagination import NewestFirst
from api.serializers import PageSerializer
from api.times import MomentField
from api.viewsets import ManagingViewSet
from audit.actors import ActorKind
from audit.models import COLUMNS, Entry
from rooms.coverage import check_key_covers
from rooms.names import clean_name
from rooms.search import starting_with
from web.spreadsheets import csv_response

MAX_CSV_ROWS = 10_000


class EntryQuerySerializer(PageSerializer):
    actor = serializers.CharField(
        source="actor_name", required=False, help_text="The whole name of a user or of a key."
    )
    subject = serializers.CharField(
        source="subject_id", required=False, help_text="Its id, such as a recording's."
    )
    room = serializers.CharField(
        source="room_name", required=False, trim_whitespace=False, help_text="A room's name."
    )
    since = MomentField(source="at__gte", required=False, help_text="This moment included.")
    until = MomentField(source="at__lt", required=False, help_text="This moment not included.")
    format = serializers.ChoiceField(
        ["json", "csv"],
        default="json",
        help_text=f"`csv`: the newest {MAX_CSV_ROWS:,} of all pages as a table.",
    )


class ActorSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(ActorKind.choices, source="actor_kind")
    id = serializers.CharField(
        source="actor_id", help_text="A user's, a key's prefix, or the session of a client token."
    )
    name = serializers.CharField(source="actor_name")
    address = serializers.CharField(help_text="From which they came; empty for the server's own.")


class SubjectSerializer(serializers.Serializer):
    kind = serializers.CharField(source="subject_kind", help_text="Such as room or recording.")
    id = serializers.CharField(source="subject_id")
    name = serializers.CharField(source="subject_name")


class EntrySerializer(serializers.Serializer):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    what = serializers.CharField(help_text="Such as `room.closed`.")
    actor = ActorSerializer(source="*")
    subject = SubjectSerializer(source="*")
    room = serializers.CharField(source="room_name", help_text="Its name; empty for none.")
    details = serializers.DictField(help_text="More about it; of a change `before` and `after`.")


class NewestEntryFirst(NewestFirst):
    ordering = ("-at", "-id")


@extend_schema(tags=["Who did what"])
class AuditViewSet(ManagingViewSet):
    needs = Capability.AUDIT
    serializer_class = EntrySerializer
    pagination_class = NewestEntryFirst
    limit = "archive"

    @extend_schema(
        operation_id="find_entries",
        summary="Who did what, the newest first",
        description="A key for some rooms gets what was done in those.",
        parameters=[EntryQuerySerializer],
        responses={
            (200, "application/json"): EntrySerializer(many=True),
            (200, "text/csv"): OpenApiTypes.STR,
        },
        extensions={
            "x-codes": {"invalid", "cursor_invalid", "room_name_invalid", "room_not_covered"}
        },
    )
    def list(self, request: Request) -> HttpResponse:
        chosen: dict[str, Any] = EntryQuerySerializer.read(request.query_params.dict())
        key = key_of(request)
        found = Entry.objects.all()
        as_csv = chosen.pop("format") == "csv"
        if room := chosen.get("room_name"):
            check_key_covers(key, room)
            chosen["room_name"] = clean_name(room)
        elif key and key.room_prefix:
            found = starting_with(found, key.room_prefix, column="room_name")
        found = found.filter(**chosen)
        if as_csv:
            newest = found.order_by(*NewestEntryFirst.ordering)[:MAX_CSV_ROWS]
            return csv_response("audit.csv", COLUMNS, (entry.as_row() for entry in newest))
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(EntrySerializer(page, many=True).data)
