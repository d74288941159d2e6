from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import status
from rest_framework.response import Response
from rest_framework.settings import api_settings

from access.capabilities import Capability
from api.idempotency import DoneOnce
from api.pagination import NewestFirst

# What the documentation says of `done`.
DONE = OpenApiResponse(description="Done.")


class ManagingViewSet(DoneOnce):
    """For programs that manage rooms and recordings: with a key, and in JSON."""

    needs = Capability.MANAGE
    # The first is JSON. In a form, what is left out would count as false.
    parser_classes: Any = api_settings.DEFAULT_PARSER_CLASSES[:1]
    pagination_class = NewestFirst


def done() -> Response:
    """The answer to a change that has nothing to show."""
    return Response(status=status.HTTP_204_NO_CONTENT)


def example(**body: Any) -> list[OpenApiExample]:
    """What the page of the documentation has to try: some of the fields exclude each other."""
    return [OpenApiExample("Such as", body, request_only=True)]
