"""A collector for tests: it takes traces by OTLP/HTTP and keeps their spans."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver: Any = self.server
        receiver.take(self.path, body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


class Span:
    def __init__(self, message: Any) -> None:
        self.name: str = message.name
        self.id: str = message.span_id.hex()
        self.parent: str = message.parent_span_id.hex()
        self.trace: str = message.trace_id.hex()
        self.is_error: bool = message.status.code == message.status.STATUS_CODE_ERROR
        self.attributes = {
            each.key: getattr(each.value, each.value.WhichOneof("value"))
            for each in message.attributes
        }


class Receiver(ThreadingHTTPServer):
    """`with Receiver() as receiver: ... receiver.wait_for("GET /room/<name>")`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.bodies: list[ExportTraceServiceRequest] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        super().__exit__(*exception)

    def take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        self.bodies.append(ExportTraceServiceRequest.FromString(body))

    def spans(self) -> list[Span]:
        return [
            Span(span)
            for body in list(self.bodies)
            for resource in body.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def wait_for(self, name: str, number: int = 1) -> list[Span]:
        """The spans with this name, once there are so many."""
        until = time.monotonic() + 60
        while len(found := [span for span in self.spans() if span.name == name]) < number:
            assert time.monotonic() < until, {span.name for span in self.spans()}
            time.sleep(0.05)
        return found
