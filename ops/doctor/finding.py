"""One thing that `manage.py doctor` found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """An error keeps the server from working or from being safe; a warning does not yet.

    The remedy may take variables, such as `("DEBUG=off",)`, or a command to be run where the server
    runs: how that is done there, platforms.py adds to it.
    """

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str
    remedy: str = ""
    variables: tuple[str, ...] = ()
    command: str = ""
