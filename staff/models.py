from django.conf import settings
from django.db import models


class TimeZone(models.Model):
    """A person's own, in the place of TIME_ZONE."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    name = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.name
