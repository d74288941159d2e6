import signal
from typing import Any

from django.core.management.base import BaseCommand

from ops.worker import Worker
from telemetry import tracing


class Command(BaseCommand):
    help = "Does what the server does beside requests, until it is told to stop (SIGTERM)."

    def handle(self, *args: Any, **options: Any) -> None:
        signals = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # in its threads as well
        tracing.start()
        worker = Worker()
        worker.start()
        signal.sigwait(signals)
        worker.stop()
        tracing.stop()
