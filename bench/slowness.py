"""The local OpenTok, as slow as a network and a busy service make the real one."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.emulator_process import Emulator


@contextmanager
def slow(opentok: Emulator, *, seconds: float) -> Iterator[None]:
    """A fresh one that takes so long for each call, and a fresh one again afterwards."""
    opentok.reset()
    if seconds:
        opentok.fault(delay=seconds)
    try:
        yield
    finally:
        opentok.reset()
