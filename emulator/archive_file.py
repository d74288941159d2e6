"""Archives in a file, so that the next run knows those of this one.

The file is written before the answer to a request that may have changed one, in one piece: what
was answered survives a `kill -9`. What the clock does to an archive it does again after a restart.
"""

from __future__ import annotations

import fcntl
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from time import time
from typing import Any, TextIO

from emulator.archive_options import ArchiveOptions
from emulator.archives import Archive, UploadTarget
from emulator.auth import Project

VERSION = 1
MAX_KEPT = 1_000
MADE_OF = {"project": Project, "options": ArchiveOptions, "target": UploadTarget}
STATE = (
    "session_id", "created_at", "processing_ms", "is_automatic", "id", "status", "reason",
    "updated_at", "recorded_ms", "running_since", "silent_since", "empty_since", "stopped_at",
    "is_full", "streams",
)  # fmt: skip


class ArchiveFile:
    """Without a path it keeps nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._written = ""
        self._lock: TextIO | None = None

    def load(self) -> list[Archive]:
        """The archives of the last run, the oldest first."""
        if self._path is None:
            return []
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Held until the process ends: of two that write the file, each would lose the other's.
            self._lock = self._path.with_suffix(".lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return read(self._path.read_text())
        except FileNotFoundError:
            return []
        except OSError as error:
            self._give_up(f"cannot be used: {error.strerror}")
        except (ValueError, TypeError, KeyError, AttributeError):
            aside = self._path.with_name(f"{self._path.name}.damaged-{int(time())}")
            self._path.rename(aside)
            print(
                f"{self._path} is not understood, and begun anew. What it was is in {aside.name}.",
                file=sys.stderr,
            )
        return []

    def save(self, archives: Iterable[Archive]) -> None:
        if self._path is None:
            return
        kept = [as_json(archive) for archive in archives][-MAX_KEPT:]
        text = json.dumps({"version": VERSION, "archives": kept})
        if text == self._written:
            return
        half = self._path.with_suffix(".new")
        try:
            half.write_text(text)
            half.replace(self._path)
        except OSError as error:
            self._give_up(f"cannot be written: {error.strerror}")
        self._written = text

    def _give_up(self, reason: str) -> None:
        print(f"{self._path} {reason}. Archives end with this process.", file=sys.stderr)
        self._path = None


def as_json(archive: Archive) -> dict[str, Any]:
    state = {name: getattr(archive, name) for name in STATE}
    return state | {name: asdict(getattr(archive, name)) for name in MADE_OF}


def read(text: str) -> list[Archive]:
    """ValueError, TypeError, KeyError or AttributeError for anything else than what was written."""
    kept = json.loads(text)
    if kept["version"] != VERSION:
        raise ValueError("another version")
    return [from_json(each) for each in kept["archives"]]


def from_json(state: dict[str, Any]) -> Archive:
    parts = {name: kind(**state[name]) for name, kind in MADE_OF.items()}
    archive = Archive(
        session_id=state["session_id"],
        created_at=state["created_at"],
        processing_ms=state["processing_ms"],
        **parts,
    )
    for name in STATE:
        setattr(archive, name, state[name])
    archive.plan()
    return archive
