"""What a page asks for before its WebSocket, by plain HTTP from another origin."""

from __future__ import annotations

import re
from typing import Any

from emulator.auth import Keys
from emulator.browser.hub import SERVER
from emulator.client_tokens import read_client_token
from emulator.messages import BadInput, Request, Response, json_response
from emulator.session_ids import SessionId
from emulator.world import World

SOCKET_PATH = "/rumorwebsocketsv2"
# `OT.setProxyUrl` puts the host of the real service before each path.
HOST = "(/[^/]+)?"
CONFIG = re.compile(HOST + "/project/[^/]+/config.json")
SESSION = re.compile(HOST + "/session/(?P<session>[^/]+)")
LOGGING = re.compile(HOST + "(/prod)?/logging/Client[A-Za-z]+")
SOCKET = re.compile(HOST + SOCKET_PATH)
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "X-OPENTOK-AUTH, X-TB-VERSION, X-TB-CLIENT-VERSION, "
    "X-TB-CONNECTIONID, X-TB-TOKEN-AUTH, Content-Type",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "86400",
}
FORBIDDEN, UNKNOWN = 403, 404


def is_for_pages(request: Request) -> bool:
    """Whether it is one of these, or a WebSocket."""
    path, method = request.path, request.method
    if LOGGING.fullmatch(path):
        return method in ("POST", "OPTIONS")
    if any(pattern.fullmatch(path) for pattern in (CONFIG, SESSION, SOCKET)):
        return method in ("GET", "OPTIONS")
    return False


def is_socket(request: Request) -> bool:
    return request.method == "GET" and SOCKET.fullmatch(request.path) is not None


def is_unlogged(request: Request) -> bool:
    """Logs, of which a page sends some sixty at its start, and CORS preflights."""
    is_log = LOGGING.fullmatch(request.path) is not None
    return is_log or (request.method == "OPTIONS" and is_for_pages(request))


class SessionInfo:
    def __init__(self, keys: Keys, world: World) -> None:
        self._keys = keys
        self._world = world

    def answer(self, request: Request) -> Response:
        path = request.path
        if request.method == "OPTIONS":
            return Response(204, headers=dict(CORS))
        if LOGGING.fullmatch(path):
            return Response(200, b"OK", {**CORS, "Content-Type": "text/plain"})
        if names := SESSION.fullmatch(path):
            return json_response(200, [self._session(names["session"], request)])
        # Nothing is to be different: not its address, not that for logs.
        return json_response(200, {})

    def _session(self, text: str, request: Request) -> dict[str, Any]:
        """The session, or an error: a status of its own is taken for a failure of the service."""
        try:
            session = self._world.session_ids.read(text)
        except ValueError:
            return error(UNKNOWN, "Invalid session ID")
        if not session.is_known:
            return error(UNKNOWN, "The session does not exist")
        try:
            token = read_client_token(self._keys, str(request.headers.get("X-OPENTOK-AUTH", "")))
        except BadInput as refusal:
            return error(FORBIDDEN, str(refusal))
        if (token.session_id, token.project_id) != (session.text, session.project_id):
            return error(FORBIDDEN, "The token is for another session")
        return session_info(session, request.base_url)


def session_info(session: SessionId, base_url: str) -> dict[str, Any]:
    scheme, _, host = base_url.partition("://")
    socket_scheme = "wss" if scheme == "https" else "ws"
    return {
        "session_id": session.text,
        "project_id": session.project_id,
        "partner_id": session.project_id,
        "session_status": "INFLIGHT",
        "status_invalid": None,
        "media_server_hostname": host,
        "messaging_server_url": host,
        "messaging_url": f"{socket_scheme}://{host}{SOCKET_PATH}",
        "symphony_address": SERVER,
        # Without any, the pages find each other in one network. A server that does not answer
        # would cost each subscription three seconds.
        "ice_servers": [],
        "ice_credential_expiration": 86100,
        "properties": {
            # A routed session's pages send each other their media as well: here is no media server.
            "p2p": {"preference": {"value": "enabled" if session.is_relayed else "disabled"}},
            "reconnection": True,
            "renegotiation": True,
            "e2ee": session.is_encrypted,
            "clientLogging": True,
        },
    }


def error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "errorMessage": {"code": code, "message": message}}}
