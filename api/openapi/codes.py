"""Every `code` that an error can have, with what it means and what to do.

The classes of the errors say both themselves, as `title` and `default_detail`. What is in braces
there is filled in when it happens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from django.utils import timezone
from rest_framework.exceptions import APIException

from archives.models import Archive
from archives.pages import page_for
from archives.states import Status
from web.errors import OF_THE_FRAMEWORK


@dataclass(frozen=True, order=True)
class Code:
    status: int
    code: str
    meaning: str
    advice: str

    @classmethod
    def of(cls, error: type[APIException]) -> Self:
        meaning, advice = OF_THE_FRAMEWORK.get(error) or (error.title, error.default_detail)  # type: ignore[attr-defined]
        return cls(error.status_code, str(error.default_code), meaning, str(advice))


def not_viewable() -> Iterator[Code]:
    """What `view` tells a program about each state of a recording that cannot be watched."""
    for status in set(Status) - {Status.AVAILABLE}:
        page = page_for(Archive(status=status), now=timezone.now())
        gone = page.status_code != 200
        advice = page.text if gone or not page.refresh else "Ask again in some seconds."
        yield Code(page.status_code if gone else 409, f"archive_{status}", page.heading, advice)


def every_code() -> list[Code]:
    """By status. The modules of all views have to be loaded, as they are once the URLs are."""
    defined = {error for error in _subclasses(APIException) if _is_ours(error)}
    codes = {Code.of(error) for error in defined | OF_THE_FRAMEWORK.keys()}
    return sorted({each.code: each for each in [*codes, *not_viewable()]}.values())


def _is_ours(error: type[APIException]) -> bool:
    """Whether it is a class of this project that says a code itself, and so is no mere base."""
    return not error.__module__.startswith("rest_framework.") and "default_code" in vars(error)


def _subclasses(error: type[APIException]) -> Iterator[type[APIException]]:
    for subclass in error.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
