"""The actor of a request, for the audit log."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse

from access.invitations import Invitation
from access.limits import address_of
from access.models import ApiKey
from audit.actors import Actor, ActorKind, acting
from video import values
from video.tokens import ClientToken


class ActorMiddleware:
    """Placed after the middleware that sets `request.user`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting(partial(actor_of, request)):
            return self.get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    address = address_of(request.META)
    user: Any = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return Actor(ActorKind.STAFF, str(user.pk), user.get_username(), address)
    match getattr(request, "proof", None):
        case ApiKey() as key:
            return Actor(ActorKind.KEY, key.prefix, key.name, address)
        case ClientToken() as token:
            return Actor(ActorKind.CLIENT, token.session_id, _called(token), address)
        case Invitation() as invitation:
            return Actor(ActorKind.LINK, str(invitation.room), invitation.role, address)
    return visitor_at(address)


def _called(token: ClientToken) -> str:
    """The client's name or identity in the connection data, or else its role."""
    told = values.json_object(token.data)
    named = told.get("name") or told.get("identity")
    return named if isinstance(named, str) else token.role


def visitor_at(address: str) -> Actor:
    return Actor(ActorKind.VISITOR, address=address)
