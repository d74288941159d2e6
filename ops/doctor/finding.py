"""A finding of `manage.py doctor`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """With an error the server does not work or is not safe.

    The remedy may need variables, such as `("DEBUG=off",)`, or a command. platforms.py adds how
    these are set or run on the platform.
    """

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str
    remedy: str = ""
    variables: tuple[str, ...] = ()
    command: str = ""
