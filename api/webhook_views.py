"""Webhooks and their deliveries."""

from typing import Any

from django.db import connections
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from access.authentication import key_of
from api.serializers import NothingSerializer
from api.viewsets import DONE, ManagingViewSet, done, example
from api.webhook_serializers import (
    DeliveryQuerySerializer,
    DeliverySerializer,
    NewWebhookSerializer,
    RedeliveredSerializer,
    RedeliverySerializer,
    WebhookSecretSerializer,
    WebhookSerializer,
)
from rooms.search import begins
from web.errors import Problem
from web.rows import row_id
from webhooks.deliveries import Delivery
from webhooks.endpoints import Endpoint

CHOSEN = {"invalid", "webhook_url_refused", "room_not_covered"}


@extend_schema(tags=["Webhooks"])
class WebhookViewSet(ManagingViewSet):
    """A key for some rooms has the webhooks that are only for these rooms."""

    serializer_class = WebhookSerializer
    limit = "archive"

    @extend_schema(
        operation_id="find_webhooks",
        summary="Webhooks, the newest first",
        responses={200: WebhookSerializer(many=True)},
        extensions={"x-codes": {"invalid", "cursor_invalid"}},
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(_covered(request)) or []
        return self.get_paginated_response(WebhookSerializer(page, many=True).data)

    @extend_schema(
        operation_id="make_webhook",
        summary="Have events sent to a URL",
        description="The answer has its secret, which is shown only once.",
        request=NewWebhookSerializer,
        examples=example(url="https://example.com/hook", events=["recording.*", "meeting.ended"]),
        responses={201: WebhookSecretSerializer},
        extensions={"x-codes": CHOSEN},
    )
    def create(self, request: Request) -> Response:
        chosen: dict[str, Any] = NewWebhookSerializer.read(request.data)
        _check_prefix(request, chosen.get("room_prefix", ""))
        endpoint = Endpoint(api_key=key_of(request), **chosen)
        secret = endpoint.add()
        return _with_secret(endpoint, secret, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="get_webhook",
        summary="A webhook",
        responses={200: WebhookSerializer},
        extensions={"x-codes": {"webhook_not_found"}},
    )
    def retrieve(self, request: Request, webhook_id: str) -> Response:
        return Response(WebhookSerializer(_found(request, webhook_id)).data)

    @extend_schema(
        operation_id="change_webhook",
        summary="Change a webhook",
        request=NewWebhookSerializer(partial=True),
        examples=example(active=True),
        responses={200: WebhookSerializer},
        extensions={"x-codes": {*CHOSEN, "webhook_not_found"}},
    )
    def partial_update(self, request: Request, webhook_id: str) -> Response:
        endpoint = _found(request, webhook_id)
        chosen = NewWebhookSerializer.read(request.data, endpoint)
        _check_prefix(request, chosen.get("room_prefix", endpoint.room_prefix))
        endpoint.change(**chosen)
        return Response(WebhookSerializer(endpoint).data)

    @extend_schema(
        operation_id="delete_webhook",
        summary="Delete a webhook",
        description="Events that wait for it are not sent.",
        responses={204: DONE},
        extensions={"x-codes": {"webhook_not_found"}},
    )
    def destroy(self, request: Request, webhook_id: str) -> Response:
        _found(request, webhook_id).remove()
        return done()

    @extend_schema(
        operation_id="renew_webhook_secret",
        summary="Give a webhook a new secret",
        description="Everything sent from now on is signed with it.",
        request=None,
        responses={200: WebhookSecretSerializer},
        extensions={"x-codes": {"invalid", "webhook_not_found"}},
    )
    def new_secret(self, request: Request, webhook_id: str) -> Response:
        NothingSerializer.read(request.data)
        endpoint = _found(request, webhook_id)
        return _with_secret(endpoint, endpoint.renew_secret(), status.HTTP_200_OK)

    @extend_schema(
        operation_id="ping_webhook",
        summary="Send an event called `ping`",
        request=None,
        responses={201: DeliverySerializer},
        extensions={"x-codes": {"invalid", "webhook_not_found"}},
    )
    def ping(self, request: Request, webhook_id: str) -> Response:
        NothingSerializer.read(request.data)
        delivery = Delivery.objects.ping(_found(request, webhook_id))
        return Response(DeliverySerializer(delivery).data, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="find_deliveries",
        summary="What was sent to a webhook, and what waits, the newest first",
        parameters=[DeliveryQuerySerializer],
        responses={200: DeliverySerializer(many=True)},
        extensions={"x-codes": {"invalid", "cursor_invalid", "webhook_not_found"}},
    )
    def deliveries(self, request: Request, webhook_id: str) -> Response:
        chosen = DeliveryQuerySerializer.read(request.query_params.dict())
        found = Delivery.objects.filter(endpoint=_found(request, webhook_id), **chosen)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    @extend_schema(
        operation_id="redeliver",
        summary="Send events again",
        description="By their ids, or all since a moment. Events that are waiting to be sent are "
        "left alone.",
        request=RedeliverySerializer,
        examples=example(since="2026-01-31T12:00:00Z", state="failed"),
        responses={200: RedeliveredSerializer},
        extensions={"x-codes": {"invalid", "webhook_not_found"}},
    )
    def redeliver(self, request: Request, webhook_id: str) -> Response:
        chosen = RedeliverySerializer.read(request.data)
        rows = Delivery.objects.filter(endpoint=_found(request, webhook_id))
        if ids := chosen.get("deliveries"):
            rows = rows.filter(pk__in=ids)
        for name, column in (("since", "created_at__gte"), ("until", "created_at__lt"),
                             ("state", "state")):  # fmt: skip
            if name in chosen:
                rows = rows.filter(**{column: chosen[name]})
        return Response(RedeliveredSerializer(Delivery.objects.send_again(rows)).data)


def _covered(request: Request) -> QuerySet[Endpoint]:
    key, found = key_of(request), Endpoint.objects.all()
    if not key or not key.room_prefix:
        return found
    return found.filter(begins(key.room_prefix, "room_prefix", vendor=connections[found.db].vendor))


def _check_prefix(request: Request, prefix: str) -> None:
    if key := key_of(request):
        key.refuse_other_rooms(prefix)


def _found(request: Request, webhook_id: str) -> Endpoint:
    if found := _covered(request).filter(pk=row_id(webhook_id)).first():
        return found
    raise Problem("webhook_not_found")


def _with_secret(endpoint: Endpoint, secret: str, code: int) -> Response:
    endpoint.shown_secret = secret
    return Response(WebhookSecretSerializer(endpoint).data, code)
