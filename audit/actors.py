"""The current actor: that of the request, or the server itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db import models


class ActorKind(models.TextChoices):
    STAFF = "staff", "Staff"
    KEY = "key", "API key"
    CLIENT = "client", "Client token"
    LINK = "link", "Invitation"
    VISITOR = "visitor", "Visitor"
    CALLBACK = "callback", "Callback"
    SERVER = "server", "Server"


@dataclass(frozen=True)
class Actor:
    """`id` is a user's primary key, a key's prefix or a client's session."""

    kind: ActorKind
    id: str = ""
    name: str = ""
    address: str = ""


SERVER = Actor(ActorKind.SERVER)
CALLBACK = Actor(ActorKind.CALLBACK)

_find_actor: ContextVar[Callable[[], Actor] | None] = ContextVar("find_actor", default=None)


def current_actor() -> Actor:
    find_actor = _find_actor.get()
    return find_actor() if find_actor else SERVER


@contextmanager
def acting(find_actor: Callable[[], Actor]) -> Iterator[None]:
    """Set the actor inside the block. `find_actor` is called when an entry is written, which most
    requests do not do.
    """
    token = _find_actor.set(find_actor)
    try:
        yield
    finally:
        _find_actor.reset(token)


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    with acting(lambda: actor):
        yield
