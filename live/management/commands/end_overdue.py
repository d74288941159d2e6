from typing import Any

from django.core.management.base import BaseCommand

from live.models import Activity


class Command(BaseCommand):
    help = "Stop broadcasts, captions, pages, calls and bots that run for longer than they may."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Stopped: {Activity.objects.end_overdue()}")
