"""Rooms of the server that the tests run, by its own models."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from playwright.sync_api import Page

from tests.emulator_process import Emulator
from tests.server_process import Server

if TYPE_CHECKING:
    from rooms.models import Room

# Playwright runs an event loop in this thread, in which Django fears to block.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


def room_with(server: Server, name: str, **policy: Any) -> Room:
    from rooms.models import Room

    server.get(f"/room/{name}")
    room = Room.objects.get(name=name)
    room.change_policy(**policy)
    return room


def invitation(room: Room, role: str) -> str:
    from rooms.invitations import invite

    return f"{room.name}#{invite(room, role=role, lifetime=600).signed()}"


def ask_to_join(enter: Callable[..., Page], name: str, room: Room) -> Page:
    """The page of a guest who waits to be let into a waiting room."""
    guest = enter(name, room=room.name, joins=False)
    guest.get_by_role("button", name="Join").click()
    return guest


def let_in(moderator: Page, enter: Callable[..., Page], name: str, room: Room) -> Page:
    """The page of a guest whom the moderator's page has let in."""
    guest = ask_to_join(enter, name, room)
    moderator.get_by_role("button", name=f"Let in: {name}").click()
    guest.get_by_text(f"{name} (you)").wait_for()
    return guest


def told(emulator: Emulator, server: Server) -> None:
    """From now on the server is told who comes and goes."""
    callbacks = {"urls": {"all": f"{server.url}/callbacks"}, "secret": settings.CALLBACK_SECRET}
    emulator.control("POST", "/callback-url", callbacks)
