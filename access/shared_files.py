"""Files that the processes of one machine share."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def temporary_folder() -> str:
    """The folder for temporary files. ImproperlyConfigured if TMPDIR cannot be used: Python would
    silently use another folder.
    """
    chosen = os.environ.get("TMPDIR", "")
    with suppress(FileNotFoundError):
        folder = tempfile.gettempdir()
        if not chosen or Path(folder).samefile(chosen):
            return folder
    where = f"to {chosen}, which TMPDIR names" if chosen else "anywhere"
    raise ImproperlyConfigured(
        f"Temporary files cannot be written {where}. Metrics are counted there: "
        "set TMPDIR to a folder that may be written to and has room, such as a tmpfs at /tmp in a "
        "container that is read-only."
    )


def shared_folder() -> Path:
    """A folder for all processes of this user. OSError if it cannot be this user's alone."""
    folder = Path(tempfile.gettempdir()) / f"opentok-rooms-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not a folder of this user alone")
    return folder
