"""Run the application under granian: `python -m config.server`.

granian's command line allows an idle connection at most 60 seconds, and Heroku's router keeps one
for 90.
"""

import argparse
import ctypes
import errno
import logging
import multiprocessing
import os
import resource
import signal
import socket
import ssl
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from access.shared_files import temporary_folder
from telemetry import tracing
from web import listening
from web.version import VERSION

logger = logging.getLogger(__name__)

# granian has one time-out for reading headers and for idle connections.
IDLE_CONNECTION_MS = 95_000
# Of each process. A connection costs a file descriptor and some kilobytes, and up to 40 kB while
# its headers arrive: with two processes all of that fits into 512 MB.
MAX_CONNECTIONS = 4096
# Connections to the database and to OpenTok, the log and the metrics.
OTHER_FILES = 256
BACKLOG = 1024
# Less than the 30 seconds that Heroku gives after SIGTERM, and longer than clients wait.
DRAIN_SECONDS = 20
# mallopt(3): the most heaps of a process, and how it is named there.
HEAPS, ARENA_MAX = 2, -8
# The workers of a server that was just killed keep the port for a moment.
BIND_SECONDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.server", description=__doc__)
    parser.add_argument("--host", help="address to listen on, in place of LISTEN")
    parser.add_argument("--tls-cert", type=Path, help="PEM file, where no proxy ends TLS")
    parser.add_argument("--tls-key", type=Path, help="its key, a PEM file")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        check_certificate(options.tls_cert, options.tls_key)
        address = listening.resolve(options.host or settings.LISTEN)
        metrics = tempfile.TemporaryDirectory(
            prefix="opentok-rooms-metrics-", dir=temporary_folder()
        )
    except (ImproperlyConfigured, OSError) as error:
        sys.exit(f"Not started. {error}")
    with metrics as folder:
        # It has to be set before telemetry/counters.py is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        try:
            django.setup()
            from ops.checks import refuse_to_start_misconfigured

            refuse_to_start_misconfigured()
            connections = most_connections()
            listeners = listen(address, settings.PORT, sockets=settings.WEB_CONCURRENCY)
        except ImproperlyConfigured as error:
            sys.exit(f"Not started. {error}")
        logger.info("OpenTok Rooms %s starts", VERSION)
        tls = {"ssl_cert": options.tls_cert, "ssl_key": options.tls_key}
        serve(listeners, connections=connections, **tls)


def check_certificate(certificate: Path | None, key: Path | None) -> None:
    """ImproperlyConfigured unless both fit together, or none is given."""
    if not certificate and not key:
        return
    if not certificate or not key:
        raise ImproperlyConfigured("--tls-cert and --tls-key go together.")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key, password="")  # or OpenSSL asks a terminal for one
    except OSError as error:  # SSLError is one
        reason = error.strerror or str(error)
        raise ImproperlyConfigured(
            f"{certificate} and {key} are no certificate and its key, without a passphrase: "
            f"{reason}."
        ) from None


def listen(address: str, port: int, *, sockets: int) -> list[socket.socket]:
    """A socket for each worker, between which the kernel distributes connections (SO_REUSEPORT).

    ImproperlyConfigured if the port is taken. The first socket listens without that option, or a
    running server would silently share the port.
    """
    with claim(address, port) as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        port = first.getsockname()[1]
        listeners = [
            listening.create_server(address, port, backlog=BACKLOG, reuse_port=True)
            for _ in range(sockets)
        ]
    for listener in listeners:
        # Connections inherit it. Without it small answers wait for the client's next packet.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listeners


def claim(address: str, port: int) -> socket.socket:
    """A socket that listens on a port which no other process listens on."""
    until = time.monotonic() + BIND_SECONDS
    while True:
        try:
            return listening.create_server(address, port)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            if error.errno != errno.EADDRINUSE:
                where = f"{listening.in_url(address)}:{port}"
                raise ImproperlyConfigured(f"Cannot listen on {where}: {reason}.") from None
            if time.monotonic() > until:
                raise ImproperlyConfigured(
                    f"Port {port} is taken by another program, or by this server, which runs "
                    "already. Stop that one, or set PORT to another."
                ) from None
        time.sleep(0.1)


class Server(MPServer):
    """granian with these listening sockets, whose workers end when this process ends."""

    def __init__(self, listeners: list[socket.socket], **options: Any) -> None:
        super().__init__("config.asgi", workers=len(listeners), **options)
        self._listeners = listeners
        # Workers only hold the read end, which is closed with this process.
        self._alive, self._pipe = os.pipe()
        os.register_at_fork(after_in_child=self._begin_worker)

    def _spawn_worker(self, idx: int, *args: Any, **options: Any) -> Any:
        self._own = self._listeners[idx]
        holder: Any = SocketHolder
        self._shd = holder(self._own.fileno(), False, BACKLOG)
        return super()._spawn_worker(idx, *args, **options)

    def _begin_worker(self) -> None:
        os.close(self._pipe)
        # A copy would keep the socket of an ended worker open, and the kernel would send it
        # connections that no process accepts.
        for listener in self._listeners:
            if listener is not self._own:
                listener.close()
        # With the inherited handler, a worker that is stopped while it starts would go on, and be
        # killed after the drain.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def load_worker(self) -> Any:
        from config.asgi import Application
        from ops.health import HealthMiddleware

        tracing.start()
        return tracing.traced(Application(self._alive), untraced=HealthMiddleware.VIEWS)

    def _init_shared_socket(self) -> None:
        self._sso = None

    def _drop_shared_socket(self) -> None:
        for listener in self._listeners:
            listener.close()
        os.close(self._pipe)


def limit_heaps() -> None:
    """Let all threads of a process share two heaps.

    glibc makes up to eight for each core, and each keeps the memory of its largest answer: under
    full load a process still grew by 15 MB in the last third of an hour. Other C libraries have no
    such call.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(ARENA_MAX, HEAPS)


def serve(listeners: list[socket.socket], *, connections: int, **tls: Path | None) -> None:
    limit_heaps()
    # Python 3.14 would start workers that inherit nothing.
    multiprocessing.set_start_method("fork")
    host, port = listeners[0].getsockname()[:2]
    server = Server(
        listeners,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        backpressure=connections,
        http1_settings=HTTP1Settings(
            header_read_timeout=IDLE_CONNECTION_MS, max_buffer_size=settings.MAX_HEADER_BYTES
        ),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
        log_dictconfig=settings.LOGGING,
        **tls,
    )
    server.serve(target_loader=server.load_worker, wrap_loader=False)


def most_connections() -> int:
    """The maximum of connections of a process. Raises its limit of open files for them."""
    wanted = MAX_CONNECTIONS + OTHER_FILES
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != files < wanted:
        files = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    if resource.RLIM_INFINITY != files < 2 * OTHER_FILES:
        raise ImproperlyConfigured(
            f"A process may have only {files} open files, and each connection is one. Allow at "
            f"least {2 * OTHER_FILES}, and better {wanted}, with `ulimit -n`."
        )
    return (
        MAX_CONNECTIONS
        if files == resource.RLIM_INFINITY
        else min(MAX_CONNECTIONS, files - OTHER_FILES)
    )


if __name__ == "__main__":
    main()
