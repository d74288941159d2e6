import re
from base64 import b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any

from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from web.errors import Problem

# The offset, the direction, and the moment in UTC to start from.
CURSOR = re.compile(
    r"(?P<offset>[0-9]{1,4})~(?P<reverse>[01])~"
    r"(?P<position>|[1-9]\d{3}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?\+00:00)",
    re.ASCII,
)


class NewestFirst(CursorPagination):
    """`{"items": […], "nextCursor": …, "previousCursor": …}`; a cursor is null at an end.

    Cursors instead of URLs, because behind a proxy the server may not know its own host name.
    """

    ordering = ("-created_at", "-id")
    page_size = 50
    page_size_query_param = "limit"

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "items": data,
                "nextCursor": self.get_next_link(),
                "previousCursor": self.get_previous_link(),
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        cursor: dict[str, Any] = {"type": ["string", "null"]}
        return {
            "type": "object",
            "required": ["items", "nextCursor", "previousCursor"],
            "properties": {
                "items": schema,
                "nextCursor": cursor | {"description": "Of what is older; null at the end."},
                "previousCursor": cursor | {"description": "Of what is newer; null at the start."},
            },
        }

    def encode_cursor(self, cursor: Cursor) -> str:
        text = f"{cursor.offset}~{int(cursor.reverse)}~{cursor.position or ''}"
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def decode_cursor(self, request: Request) -> Cursor | None:
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return None
        try:
            return _cursor(text)
        except ValueError:
            raise Problem("cursor_invalid") from None


def _cursor(text: str) -> Cursor:
    """ValueError unless encode_cursor has made the text."""
    padded = text + "=" * (-len(text) % 4)
    shape = CURSOR.fullmatch(b64decode(padded, altchars=b"-_", validate=True).decode())
    if shape is None:
        raise ValueError("not a cursor")
    position: Any = shape["position"] or None
    if position:
        datetime.fromisoformat(position)  # a 30th of February is refused here
    return Cursor(int(shape["offset"]), shape["reverse"] == "1", position)
