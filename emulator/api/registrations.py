"""Addresses of callbacks that are registered over the API, each for one event of a group."""

from __future__ import annotations

from typing import Any

from emulator.api.call import Call
from emulator.callbacks import GROUPS, Registration
from emulator.fields import read_fields
from emulator.messages import Response, empty_response, json_response, not_found


def register(call: Call) -> Response:
    fields = read_fields(call.request)
    group = fields.choice("group", set(GROUPS), "")
    event = fields.choice("event", GROUPS[group], "")
    url = fields.web_address("url")
    registration = Registration(call.project, group, event, url, call.world.now)
    call.callbacks.register(registration)
    return json_response(200, view(registration))


def list_all(call: Call) -> Response:
    return json_response(200, [view(each) for each in call.callbacks.registered(call.project)])


def remove(call: Call) -> Response:
    for registration in call.callbacks.registered(call.project):
        if registration.id == call.ids["callback"]:
            call.callbacks.unregister(registration)
            return empty_response(204)
    raise not_found("Not found. There is no such callback.")


def view(registration: Registration) -> dict[str, Any]:
    return {
        "id": registration.id,
        "group": registration.group,
        "event": registration.event,
        "url": registration.url,
        "createdAt": registration.created_at,
    }
