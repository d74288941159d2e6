"""The control API, which drives the emulator: clients in sessions, time, faults.

It lies under /_control/, outside OpenTok's paths, and has no authentication: the program listens
on the loopback interface. Web pages are kept out by refusing whatever carries an Origin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from emulator.answers import archive_object
from emulator.archives import UploadTarget
from emulator.browser.pages import Pages
from emulator.callbacks import KINDS, SIGNATURES, Callbacks, Hook
from emulator.client_tokens import ROLES, USUAL_ROLE
from emulator.control_fields import (
    read_fields,
    read_flag,
    read_names,
    read_number,
    read_texts,
    read_wait,
)
from emulator.faults import Faults
from emulator.fields import read_web_address
from emulator.messages import BadInput, Request, Response
from emulator.request_log import RequestLog
from emulator.runs import Captions, run_view
from emulator.world import World

PREFIX = "/_control/"
TARGETS = (None, "s3", "azure")

Handler = Callable[["Control", dict[str, Any], dict[str, str]], Response]


class ControlError(Exception):
    """A refusal: a status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Control:
    """Answers control requests, each one in one piece under the world's lock."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        log: RequestLog,
        callbacks: Callbacks,
        pages: Pages,
    ) -> None:
        self.world = world
        self.faults = faults
        self.log = log
        self.callbacks = callbacks
        self.pages = pages

    def answer(self, request: Request) -> Response:
        try:
            if request.headers.get("Origin") is not None:
                raise ControlError(403, "Web pages may not drive the emulator.")
            handler, ids = route(request)
            fields = read_fields(request)
            if handler in (Control.show_requests, Control.show_callbacks):
                # Before the lock is taken: what is waited for needs it.
                at_least, within = read_wait(request)
                awaited = self.log if handler == Control.show_requests else self.callbacks
                awaited.wait(at_least=at_least, within=within)
            # Nothing is to be on its way when everything begins anew.
            quiet = self.callbacks.sending if handler == Control.reset else nullcontext()
            with quiet, self.world.turn(request):
                if "session" in ids:
                    self._check_session(ids["session"])
                return handler(self, fields, ids)
        except ControlError as error:
            return answer(error.status, error.message)
        except BadInput as error:
            return answer(400, str(error))

    def reset(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        self.world.reset()
        self.faults.clear()
        self.log.clear()
        self.callbacks.reset()
        return Response(204)

    def show_session(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        view = self.world.session(ids["session"]).view()
        return answer(200, {"sessionId": ids["session"], **view})

    def connect(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        about = read_texts(fields, "data", "role")
        if about.get("role", USUAL_ROLE) not in ROLES:
            raise BadInput(f"role is one of {', '.join(ROLES)}.")
        return answer(201, {"connectionId": self.world.connect(ids["session"], **about).id})

    def disconnect(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        try:
            self.world.disconnect(ids["session"], ids["connection"])
        except KeyError:
            raise ControlError(404, "No such client is connected to the session.") from None
        return Response(204)

    def publish(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        connection_id = fields.get("connectionId")
        if connection_id is None:
            connection_id = self.world.connect(ids["session"]).id
        if not isinstance(connection_id, str):
            raise BadInput("connectionId is a string.")
        about = read_texts(fields, "name")
        try:
            stream_id = self.world.publish(ids["session"], connection_id, **about).id
        except KeyError:
            raise ControlError(404, "No such client is connected to the session.") from None
        return answer(201, {"streamId": stream_id, "connectionId": connection_id})

    def unpublish(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        try:
            self.world.unpublish(ids["session"], ids["stream"])
        except KeyError:
            raise ControlError(404, "There is no such stream in the session.") from None
        return Response(204)

    def break_connection(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        try:
            self.pages.break_connection(ids["session"], ids["connection"])
        except KeyError:
            raise ControlError(404, "No page has that connection.") from None
        return Response(204)

    def caption(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        text = fields.get("text")
        if not isinstance(text, str):
            raise BadInput("text is a string.")
        if not self.world.running(ids["session"], Captions.kind):
            raise ControlError(400, "The session has no captions.")
        is_final = read_flag(fields, "final")
        try:
            self.world.caption(ids["session"], ids["stream"], text, is_final=is_final)
        except KeyError:
            raise ControlError(404, "There is no such stream in the session.") from None
        return Response(204)

    def show_clock(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        clock = self.world.clock
        return answer(200, {"now": clock.now_ms(), "speed": clock.speed})

    def set_clock(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        advance = read_number(fields, "advance", 0)
        speed = read_number(fields, "speed", self.world.clock.speed)
        self.world.clock.change(advance=advance, speed=speed)
        return self.show_clock(fields, ids)

    def set_storage(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        kind = fields.get("target")
        if kind not in TARGETS:
            raise BadInput('target is "s3", "azure" or null.')
        target = UploadTarget(kind, read_flag(fields, "fails"), read_flag(fields, "fallback"))
        self.world.upload_target = target
        return answer(
            200, {"target": target.kind, "fails": target.fails, "fallback": target.fallback}
        )

    def show_runs(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        return answer(200, {"runs": [run_view(run) for run in self.world.runs.values()]})

    def fail_archive(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        archive = self.world.archives.get(ids["archive"].lower())
        if archive is None:
            raise ControlError(404, "There is no such archive.")
        if not archive.is_live and archive.status != "stopped":
            raise ControlError(400, f"An archive that is {archive.status} can no longer fail.")
        archive.fail(self.world.now)
        return answer(200, archive_object(archive, url=None))

    def set_auto_connect(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        if "enabled" not in fields:
            raise BadInput("enabled is true or false.")
        self.world.set_auto_connect(enabled=read_flag(fields, "enabled"))
        return answer(200, {"enabled": self.world.auto_connect})

    def add_fault(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        return answer(201, {"id": self.faults.add(fields).id})

    def show_faults(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        return answer(200, {"faults": self.faults.view()})

    def clear_faults(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        self.faults.clear()
        return Response(204)

    def show_requests(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        return answer(200, {"requests": self.log.view()})

    def clear_requests(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        self.log.clear()
        return Response(204)

    def set_hook(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        url, secret = fields.get("url"), fields.get("secret", "")
        signature = fields.get("signature", SIGNATURES[0])
        if not isinstance(secret, str):
            raise BadInput("secret is a string.")
        if signature not in SIGNATURES:
            raise BadInput(f"signature is one of {', '.join(SIGNATURES)}.")
        urls = read_urls(fields.get("urls"))
        if url is not None:
            urls["archive"] = read_web_address(url)
        held, without = read_flag(fields, "held"), read_names(fields, "without")
        hook = Hook(urls, secret, signature, held, without)
        self.callbacks.set_hook(hook)
        return answer(200, hook.view())

    def show_callbacks(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        return answer(200, {"callbacks": self.callbacks.view()})

    def send_callback(self, fields: dict[str, Any], ids: dict[str, str]) -> Response:
        try:
            return answer(200, self.callbacks.send(int(ids["callback"]), self.world.now))
        except KeyError:
            raise ControlError(404, "There is no such callback.") from None

    def _check_session(self, text: str) -> None:
        try:
            is_known = self.world.session_ids.read(text).is_known
        except ValueError:
            raise ControlError(400, "That is not a session id.") from None
        if not is_known:
            raise ControlError(404, "This emulator did not make that session.")


def read_urls(value: Any) -> dict[str, str]:
    """Addresses by the kind of callback."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not set(value) <= set(KINDS):
        raise BadInput(f"urls is an object with addresses for {', '.join(KINDS)}.")
    return {kind: read_web_address(url) for kind, url in value.items()}


SESSION = r"/_control/sessions/(?P<session>[^/]+)"
ROUTES: list[tuple[re.Pattern[str], Mapping[str, Handler]]] = [
    (re.compile("/_control/reset"), {"POST": Control.reset}),
    (re.compile(SESSION), {"GET": Control.show_session}),
    (re.compile(SESSION + "/connections"), {"POST": Control.connect}),
    (re.compile(SESSION + "/connections/(?P<connection>[^/]+)"), {"DELETE": Control.disconnect}),
    (
        re.compile(SESSION + "/connections/(?P<connection>[^/]+)/break"),
        {"POST": Control.break_connection},
    ),
    (re.compile(SESSION + "/streams/(?P<stream>[^/]+)/captions"), {"POST": Control.caption}),
    (re.compile(SESSION + "/streams"), {"POST": Control.publish}),
    (re.compile(SESSION + "/streams/(?P<stream>[^/]+)"), {"DELETE": Control.unpublish}),
    (re.compile("/_control/clock"), {"GET": Control.show_clock, "POST": Control.set_clock}),
    (re.compile("/_control/storage"), {"POST": Control.set_storage}),
    (re.compile("/_control/runs"), {"GET": Control.show_runs}),
    (re.compile("/_control/archives/(?P<archive>[^/]+)/fail"), {"POST": Control.fail_archive}),
    (re.compile("/_control/auto-connect"), {"POST": Control.set_auto_connect}),
    (
        re.compile("/_control/faults"),
        {
            "POST": Control.add_fault,
            "GET": Control.show_faults,
            "DELETE": Control.clear_faults,
        },
    ),
    (re.compile("/_control/callback-url"), {"POST": Control.set_hook}),
    (re.compile("/_control/callbacks"), {"GET": Control.show_callbacks}),
    (
        re.compile("/_control/callbacks/(?P<callback>[0-9]{1,9})/send"),
        {"POST": Control.send_callback},
    ),
    (
        re.compile("/_control/requests"),
        {"GET": Control.show_requests, "DELETE": Control.clear_requests},
    ),
]


def is_control(request: Request) -> bool:
    return request.path.startswith(PREFIX)


def route(request: Request) -> tuple[Handler, dict[str, str]]:
    """Who answers it, and the ids in its path. Raises ControlError."""
    for pattern, handlers in ROUTES:
        match = pattern.fullmatch(request.path)
        if match is None:
            continue
        if request.method not in handlers:
            raise ControlError(405, f"{request.path} takes {' and '.join(handlers)} only.")
        return handlers[request.method], match.groupdict()
    raise ControlError(404, "There is no such control; emulator/README.md lists them.")


def answer(status: int, value: Any) -> Response:
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
