"""The owner of a room, and the notes of staff about it."""

from django.conf import settings
from django.db import models

MAX_NOTES = 1000


class Owned(models.Model):
    """Mixed into Room. Visitors do not see it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,  # Room has one by owner and last use
        help_text="A user name. Empty: nobody's.",
    )
    notes = models.CharField(
        max_length=MAX_NOTES,
        blank=True,
        default="",
        db_default="",
        help_text="For staff alone. Visitors do not see it.",
    )

    class Meta:
        abstract = True
