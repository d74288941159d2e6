"""Traces of requests and of their calls to OpenTok and to the database.

Tracing needs OTEL_EXPORTER_OTLP_ENDPOINT, and a call of `start` in the process. Without them
OpenTelemetry is not imported, and the functions here do nothing. Spans hold what the log may hold:
the route but no path, query, header, room's name or token.
"""

import os
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any

from django.conf import settings
from django.db.backends.signals import connection_created

Application = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]

# To send the last spans when a process ends.
FLUSH_SECONDS = 3
LONGEST_STATEMENT = 1000
# They continue a caller's trace: https://www.w3.org/TR/trace-context/
TRACE_HEADERS = {b"traceparent", b"tracestate"}
# All that the instrumentation sees of a request, since it puts everything into spans.
SHOWN = ["type", "method", "scheme", "server", "http_version"]
HIDDEN = "rooms.scope"

_provider: Any = None
_tracer: Any = None


def start() -> None:
    """To be called after a fork, since the thread that sends spans is not inherited."""
    global _provider, _tracer
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return
    os.environ.setdefault("OTEL_SERVICE_NAME", "opentok-rooms")
    # Without it the instrumentation uses the old names of attributes.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip("/")
    _provider = TracerProvider()
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    _tracer = _provider.get_tracer(__name__)
    connection_created.connect(_trace_statements)


def stop() -> None:
    """Send the remaining spans, for at most FLUSH_SECONDS."""
    if _provider is not None:
        last = threading.Thread(target=_provider.shutdown, daemon=True)
        last.start()
        last.join(FLUSH_SECONDS)


def traced(application: Application, *, untraced: Collection[str]) -> Application:
    """An ASGI application with a span for each request, except those to the untraced paths."""
    if _tracer is None:
        return application
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    async def unwrapped(shown: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        await application(shown[HIDDEN], receive, send)

    instrumented = OpenTelemetryMiddleware(
        unwrapped, tracer_provider=_provider, exclude_spans=["receive", "send"]
    )

    async def wrapped(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].removesuffix("/") in untraced:
            await application(scope, receive, send)
            return
        shown = {name: scope[name] for name in SHOWN}
        headers = [pair for pair in scope["headers"] if pair[0] in TRACE_HEADERS]
        await instrumented(shown | {"headers": headers, HIDDEN: scope}, receive, send)

    return wrapped


def carried(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, to be called in another thread under the current span."""
    return function if _tracer is None else partial(copy_context().run, function)


def name_request(method: str, route: str) -> None:
    """Name the current span after its request; both are labels, as in the log."""
    if _tracer is not None:
        span = _current()
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)


def trace_id() -> str:
    """The id of the current trace, as 32 hexadecimal digits; empty if there is none."""
    if _tracer is None:
        return ""
    number = _current().get_span_context().trace_id
    return f"{number:032x}" if number else ""


@contextmanager
def call(name: str, **attributes: str) -> Iterator[None]:
    """A span for a call to another server. It has an error's code only: the text may be secret."""
    if _tracer is None:
        yield
        return
    from opentelemetry.trace import SpanKind, StatusCode

    with _tracer.start_as_current_span(
        name,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Exception as error:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", getattr(error, "outcome", type(error).__name__))
            raise


def _current() -> Any:
    from opentelemetry.trace import get_current_span

    return get_current_span()


def _trace_statements(connection: Any, **ignored: object) -> None:
    """Use Django's own hook: an instrumentation of the driver would also trace the many statements
    of the worker, and record PostgreSQL's messages about rows.
    """
    if _statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_statement)


def _statement(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    if not _current().is_recording():
        return execute(sql, params, many, context)
    vendor, text = context["connection"].vendor, str(sql)[:LONGEST_STATEMENT]
    name = text.split(None, 1)[0]
    with call(name, **{"db.system.name": vendor, "db.query.text": text}):
        return execute(sql, params, many, context)
