from django.conf import settings
from django.db import models

# Models of this app.
from staff.second_factors import RecoveryCode as RecoveryCode
from staff.second_factors import SecondFactor as SecondFactor


class TimeZone(models.Model):
    """The time zone of one user, in place of TIME_ZONE."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    name = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.name


class NamePrefix(models.Model):
    """A user's own rooms are also those whose names begin with it: rooms/own_rooms.py."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # As long as a name may be.
    prefix = models.CharField(
        max_length=200, help_text="Case counts. What stands here is the beginning of the name."
    )

    class Meta:
        verbose_name = "beginning of names of own rooms"
        verbose_name_plural = "beginnings of names of own rooms"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "prefix"], name="name_prefix_once_a_user")
        ]

    def __str__(self) -> str:
        return self.prefix
