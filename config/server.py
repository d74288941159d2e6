"""Run the application under granian: `python -m config.server`.

A module and not granian's command line, because that allows an idle connection 60 seconds at most
and Heroku's router keeps one for 90.
"""

import argparse
import logging
import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from config import environment

IDLE_CONNECTION_MS = 95_000
# Requests that a worker answers at a time. Each holds a database connection, so that a server has
# WEB_CONCURRENCY * THREADS of them.
THREADS = 8
# Below the 30 seconds that Heroku gives after SIGTERM; above the longest that a request takes.
DRAIN_SECONDS = 20


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m config.server", description=__doc__)
    arguments.add_argument("--host", default="0.0.0.0")  # noqa: S104  a PaaS routes to any address
    host = arguments.parse_args().host
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
        from config.checks import refuse_to_start_misconfigured

        refuse_to_start_misconfigured()
        port = environment.number("PORT", 8080, at_least=0, at_most=65_535)
        workers = environment.number("WEB_CONCURRENCY", 2, at_least=1, at_most=64)
    except ImproperlyConfigured as error:
        sys.exit(f"Not started. {error}")
    serve(host, port=int(port), workers=int(workers))


def serve(host: str, *, port: int, workers: int) -> None:
    # It takes more threads than cores for a mistake. Ours mostly wait, for a database or OpenTok.
    logging.getLogger("_granian").addFilter(lambda line: "quite high" not in line.getMessage())
    Granian(
        "config.wsgi:application",
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
    ).serve()


if __name__ == "__main__":
    main()
