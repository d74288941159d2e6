"""HTTP: reads requests, sends answers, and plays faults where bytes go out."""

from __future__ import annotations

import re
import selectors
import socket
import socketserver
import ssl
import sys
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from emulator.api import Api
from emulator.browser.pages import Pages
from emulator.browser.raptor import Refused
from emulator.browser.session_info import (
    CORS,
    SessionInfo,
    is_for_pages,
    is_socket,
    is_unlogged,
)
from emulator.control import Control, is_control
from emulator.downloads import Downloads, is_download
from emulator.faults import Fault
from emulator.hls import Hls, is_hls
from emulator.messages import ApiError, Request, Response, phrase
from emulator.request_log import RequestLog

MAX_BODY = 1024 * 1024
IDLE_SECONDS = 60
CLIENT_CHECK_SECONDS = 0.1
HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")


class LocalServer(ThreadingHTTPServer):
    """Serves the OpenTok side, the control API and downloads on one port, a thread a connection."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(
        self,
        address: tuple[str, int],
        api: Api,
        downloads: Downloads,
        control: Control,
        session_info: SessionInfo,
        pages: Pages,
        *,
        verbose: bool,
        link_host: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.link_host = link_host
        self.scheme = "https" if tls else "http"
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, Exchange)
        if tls:
            # The handshake is the thread's of the connection, so that a slow client stops no other.
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self.api = api
        self.downloads = downloads
        self.hls = Hls(control.world)
        self.control = control
        self.session_info = session_info
        self.pages = pages
        self.faults = control.faults
        self.log: RequestLog = control.log
        self.verbose = verbose

    def server_bind(self) -> None:
        # HTTPServer's own looks up the host's full name, which can take seconds without a network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    @property
    def url(self) -> str:
        name = self.link_host or self.server_name
        return f"{self.scheme}://{f'[{name}]' if ':' in name else name}:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error here; anything else is one of ours, and shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Exchange(BaseHTTPRequestHandler):
    """One connection and its requests."""

    server: LocalServer
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Without this, a pooled connection waits 40 ms for the client's acknowledgement each time.
    disable_nagle_algorithm = True

    def answer(self) -> None:
        """Read one request and answer it."""
        if self.request_version == "HTTP/1.0":
            self.close_connection = True
        try:
            body = self._read_body()
        except ApiError as error:
            self.close_connection = True
            self._send(error.response())
            return
        # As it came: `self.path` has slashes taken from its beginning. Inference: //v2 is a 404.
        target = self.requestline.split()[1]
        request = Request(self.command, target, self.headers, body, self._base_url())
        if is_control(request) and self.server.link_host and not self._is_from_here():
            self._send(ApiError(403, -1, "Other machines may not drive the emulator.").response())
        elif is_control(request):
            self._send(self.server.control.answer(request))
        elif is_unlogged(request):
            self._send(self.server.session_info.answer(request))
        elif is_download(request):
            self._send(self.server.downloads.answer(request))
        elif is_hls(request):
            self._send(self.server.hls.answer(request))
        else:
            self._answer_as_opentok(request)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def _is_from_here(self) -> bool:
        """What comes from this machine comes from the address that it goes to."""
        here: str = self.connection.getsockname()[0]
        return here == self.client_address[0]

    def _answer_as_opentok(self, request: Request) -> None:
        entry = self.server.log.add(request)
        fault = self.server.faults.claim(request)
        if fault is None:
            response: Response | None = self._real_answer(request)
        else:
            response = self._answer_with(fault, request)
        if response is None:
            self.close_connection = True
            return
        entry["status"] = response.status
        if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
            self._serve_page(request)
            return
        if is_for_pages(request):
            response = replace(response, headers={**CORS, **response.headers})
        self._send(response, drip=fault)

    def _real_answer(self, request: Request) -> Response:
        if is_socket(request):
            return Response(HTTPStatus.SWITCHING_PROTOCOLS)
        if is_for_pages(request):
            return self.server.session_info.answer(request)
        return self.server.api.answer(request)

    def _serve_page(self, request: Request) -> None:
        """Its WebSocket, until that is over."""
        self.close_connection = True
        try:
            self.server.pages.serve(self.connection, request)
        except Refused as refused:
            self._send(ApiError(refused.status, -1, refused.reason).response())

    def _answer_with(self, fault: Fault, request: Request) -> Response | None:
        """The answer that a fault leaves of it, None when there is none."""
        real = self._real_answer(request) if fault.after else None
        fault.ended.wait(fault.delay)
        if fault.hang:
            self._wait_for_the_end(fault)
        if fault.gives_no_answer:
            return None
        if real is None and not fault.replaces_answer:
            real = self._real_answer(request)
        return fault.alter(real)

    def _wait_for_the_end(self, fault: Fault) -> None:
        """Until the client goes or the faults are cleared."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            while not fault.ended.wait(CLIENT_CHECK_SECONDS):
                if self.server.scheme == "https":
                    continue  # in which nothing can be looked at without being taken
                if selector.select(0) and not self.connection.recv(1, socket.MSG_PEEK):
                    return

    def _read_body(self) -> bytes:
        """Raises ApiError for a body without a length, or one too large."""
        if "Transfer-Encoding" in self.headers:
            raise ApiError(411, -1, "Length required")
        lengths = set(self.headers.get_all("Content-Length", ["0"]))
        length = lengths.pop().strip()
        if lengths or not re.fullmatch("[0-9]{1,18}", length):
            raise ApiError(400, -1, "Invalid Content-Length")
        if int(length) > MAX_BODY:
            self._swallow(int(length))
            raise ApiError(413, -1, "Request entity too large")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionError("the client went away in its body")
        return body

    def _swallow(self, length: int) -> None:
        """Take in a body not wanted: closing on unread bytes would lose the answer on its way."""
        left = min(length, 16 * MAX_BODY)
        while left > 0 and (piece := self.rfile.read(min(left, 65536))):
            left -= len(piece)

    def _base_url(self) -> str:
        host = "" if self.server.link_host else str(self.headers.get("Host", "")).strip()
        return f"{self.server.scheme}://{host}" if HOST.fullmatch(host) else self.server.url

    def _send(self, response: Response, drip: Fault | None = None) -> None:
        """Send it in one write, or byte by byte."""
        names = {name.lower() for name in response.headers}
        if {"content-length", "transfer-encoding", "connection"} & names:
            # A fault's own idea of the length: only the end of the connection is to be trusted.
            self.close_connection = True
        content = self._head(response, names) + self._content(response)
        if self.server.verbose:
            # The path alone: queries hold signatures.
            path = getattr(self, "path", "?").split("?")[0]
            print(f"{self.command} {path} {response.status}", file=sys.stderr, flush=True)
        if drip is None or not drip.drip:
            self.wfile.write(content)
            return
        for position in range(len(content)):
            self.wfile.write(content[position : position + 1])
            if drip.ended.wait(drip.drip):
                self.close_connection = True
                return

    def _head(self, response: Response, names: set[str]) -> bytes:
        headers = {"Server": "nginx", "Date": formatdate(usegmt=True)}
        if "content-length" not in names and response.status not in (204, 304):
            headers["Content-Length"] = str(len(response.body))
        if self.close_connection:
            headers["Connection"] = "close"
        headers = {name: text for name, text in headers.items() if name.lower() not in names}
        lines = [f"HTTP/1.1 {response.status} {phrase(response.status)}"]
        lines += [f"{name}: {text}" for name, text in {**headers, **response.headers}.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _content(self, response: Response) -> bytes:
        has_none = self.command == "HEAD" or response.status in (204, 304)
        return b"" if has_none else response.body

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library refuses, such as a broken request line, in OpenTok's shape."""
        self.close_connection = True
        self.command = self.command or ""
        self._send(ApiError(code, -1, phrase(code)).response())

    def log_message(self, *args: object) -> None:
        """Requests are logged where they are answered, and only when asked for."""
