"""Run the application under granian: `python -m config.server`.

A module and not granian's command line, because that allows an idle connection 60 seconds at most
and Heroku's router keeps one for 90.
"""

import argparse
import logging
import os
import signal
import sys
import tempfile

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from video import gate

IDLE_CONNECTION_MS = 95_000
# Requests that a worker answers at a time. At most half of them wait for OpenTok (video/gate.py), a
# quarter for another request's answer (api/idempotency.py), and all share a few connections to
# PostgreSQL (config/postgresql).
THREADS = 2 * gate.PLACES
# Below the 30 seconds that Heroku gives after SIGTERM; above the longest that a client waits.
DRAIN_SECONDS = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.server", description=__doc__)
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104  a PaaS routes to any address
    host = parser.parse_args().host
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with tempfile.TemporaryDirectory(prefix="opentok-rooms-metrics-") as folder:
        # Where the processes count together; it has to be known before metrics/ is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        try:
            django.setup()
            from config.checks import refuse_to_start_misconfigured

            refuse_to_start_misconfigured()
        except ImproperlyConfigured as error:
            sys.exit(f"Not started. {error}")
        serve(host, port=settings.PORT, workers=settings.WEB_CONCURRENCY)


def serve(host: str, *, port: int, workers: int) -> None:
    # granian warns of more threads than cores. Ours mostly wait, for a database or for OpenTok.
    logging.getLogger("_granian").addFilter(lambda line: "quite high" not in line.getMessage())
    # A worker begins with the handlers of the process that it is forked from. With that one for
    # SIGTERM, one that is told to stop while it starts would go on, and be killed after the drain.
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    Granian(
        "config.worker:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=workers,
        blocking_threads=THREADS,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE_CONNECTION_MS),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
        log_dictconfig=settings.LOGGING,
    ).serve()


if __name__ == "__main__":
    main()
