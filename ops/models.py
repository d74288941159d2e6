from datetime import timedelta

from django.db import models
from django.utils import timezone


class HeartbeatManager(models.Manager["Heartbeat"]):
    def beat(self) -> None:
        row = Heartbeat(pk=1, at=timezone.now())
        self.bulk_create([row], update_conflicts=True, unique_fields=["id"], update_fields=["at"])

    def age(self) -> timedelta | None:
        """How long ago a worker was at work; None if no worker ever was."""
        last = self.order_by("-at").first()
        return max(timezone.now() - last.at, timedelta()) if last else None


class Heartbeat(models.Model):
    """The one row has the moment at which a worker was last at work."""

    at = models.DateTimeField()

    objects = HeartbeatManager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"at work at {self.at:%Y-%m-%d %H:%M} UTC"
