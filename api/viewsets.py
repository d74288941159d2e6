from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework.settings import api_settings

from access.capabilities import Capability
from api.idempotency import DoneOnce
from api.pagination import NewestFirst


class ManagingViewSet(DoneOnce):
    """For programs that manage rooms and recordings: with a key, and in JSON."""

    needs = Capability.MANAGE
    # The first is JSON. In a form, what is left out would count as false.
    parser_classes: Any = api_settings.DEFAULT_PARSER_CLASSES[:1]
    pagination_class = NewestFirst


def example(**body: Any) -> list[OpenApiExample]:
    """What the page of the documentation has to try: some of the fields exclude each other."""
    return [OpenApiExample("Such as", body, request_only=True)]
