"""Experience Composer: pages that a browser at OpenTok opens and publishes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from emulator.answers import render_object
from emulator.api.call import Call, page
from emulator.archive_options import RESOLUTIONS
from emulator.fields import URL_LENGTH, read_fields, read_paging
from emulator.messages import ApiError, Response, empty_response, json_response
from emulator.runs import STOPPED_BY_CALL, Render

MAX_SECONDS = range(60, 36_001)
DEFAULT_SECONDS = 7200
WEB_PAGE = re.compile(r"https?://[^\s/?#]+\S*")
NAME_LENGTH = range(1, 201)


def start(call: Call) -> Response:
    fields = read_fields(call.request)
    try:
        session = call.session(fields.text("sessionId"))
    except ApiError as error:
        raise ApiError(error.status, 50008, error.message) from None
    token = call.client_token(fields.text("token"), session.text)
    url = fields.text("url")
    if not is_web_page(url):
        raise ApiError(400, 50001, "Invalid URL")
    properties = fields.inner("properties")
    name = properties.text("name") if properties.has("name") else None
    if name is not None and len(name) not in NAME_LENGTH:
        raise ApiError(400, 50007, "Invalid name")
    try:
        seconds = fields.number("maxDuration", MAX_SECONDS) or DEFAULT_SECONDS
    except ApiError:
        raise ApiError(400, 50005, "Invalid maxDuration") from None
    resolution = fields.text("resolution", "1280x720")
    if resolution not in RESOLUTIONS:
        raise ApiError(400, 50006, "Invalid resolution")
    render = Render(
        call.project,
        session.text,
        call.world.now,
        seconds,
        url=url,
        name=name,
        resolution=resolution,
        data=token.data,
    )
    call.world.begin(render)
    return json_response(202, render_object(render))


def is_web_page(url: str) -> bool:
    try:
        urlsplit(url)
    except ValueError:  # brackets without an IPv6 address in them
        return False
    return len(url) in URL_LENGTH and WEB_PAGE.fullmatch(url) is not None


def list_all(call: Call) -> Response:
    offset, count, session_id = read_paging(call.request)
    return json_response(200, page(call.runs(Render, session_id), offset, count, render_object))


def get(call: Call) -> Response:
    return json_response(200, render_object(call.run(Render)))


def stop(call: Call) -> Response:
    call.running(Render).end(call.world, call.world.now, reason=STOPPED_BY_CALL)
    return empty_response(204)
