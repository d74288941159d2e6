"""What the drivers in Python share: the local OpenTok to call, and how a call is told."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import requests

URL, KEY, SECRET = (os.environ[f"OPENTOK_{name}"] for name in ("URL", "KEY", "SECRET"))


def control(path: str, **body: Any) -> Any:
    answer = requests.post(f"{URL}/_control/{path}", json=body, timeout=5)
    answer.raise_for_status()
    return answer.json()


def tell(call: str, make: Callable[..., Any], *positional: Any, **named: Any) -> Any:
    """Make a call and print what became of it. Returns its answer, None if it failed."""
    try:
        answer = make(*positional, **named)
    except Exception as error:  # whatever an SDK raises
        print(json.dumps({"call": call, "ok": False, "error": f"{type(error).__name__}: {error}"}))
        return None
    print(json.dumps({"call": call, "ok": True}))
    return answer


class Watched:
    """The client, which notes what is called."""

    def __init__(self, client: Any, *, besides: Iterable[str] = ()) -> None:
        self._client = client
        self._called = set(besides)

    def __getattr__(self, name: str) -> Any:
        self._called.add(name)
        return getattr(self._client, name)

    def tell_uncalled(self) -> None:
        """Print the public methods that were not."""
        kind = type(self._client)
        public = {name for name in dir(kind) if name[0] != "_" and callable(getattr(kind, name))}
        print(json.dumps({"uncalled": sorted(public - self._called)}))
