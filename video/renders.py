"""Renders: web pages as streams of a session, by OpenTok's Experience Composer."""

from collections.abc import Collection

from video import answers, calls, ids, rest, sessions, starts
from video.answers import Remote

MAX_RENDERS = 1000
RUNNING = {"starting", "started"}


def start_render(
    session_id: str,
    *,
    token: str,
    url: str,
    max_duration: int | None = None,
    resolution: str | None = None,
    name: str | None = None,
    known: Collection[str] = (),
) -> Remote:
    """Open a page, and publish it with `token`, a publisher's.

    `known` are the ids of the session's earlier renders, which may be of the same page.
    Errors: render_refused, nobody_connected. A failure of OpenTok is raised only if no new render
    is found afterwards.
    """
    body = rest.given(
        sessionId=sessions.checked(session_id),
        token=token,
        url=url,
        maxDuration=max_duration,
        resolution=resolution,
        properties=None if name is None else {"name": name},
    )
    return starts.start(
        "start_render",
        rest.written("POST", "render", body),
        refusals={400: "render_refused", 404: "nobody_connected"},
        check=lambda answer: answers.item(answer, session_id=session_id),
        find=lambda until: _running_render(session_id, url, name, known=known, until=until),
    )


def _running_render(
    session_id: str, url: str, name: str | None, *, known: Collection[str], until: float
) -> Remote | None:
    """The new render of this page. OpenTok has no list of a single session's renders."""
    path = rest.page("render", count=MAX_RENDERS)
    answer = calls.exchange("list_renders", rest.written("GET", path), refusals={}, until=until)
    for remote in answers.items(answer):
        is_of_page = (remote["sessionId"], remote.get("url")) == (session_id, url)
        has_name = name in {None, remote.get("name")}
        is_new = remote["status"] in RUNNING and remote["id"].lower() not in known
        if is_of_page and has_name and is_new:
            return remote
    return None


def stop_render(render_id: str) -> None:
    """Error: render_not_found, also for one that has ended."""
    render_id = ids.render_id(render_id)
    rest.ask("stop_render", "DELETE", f"render/{render_id}", refusals={404: "render_not_found"})


def get_render(render_id: str) -> Remote:
    render_id = ids.render_id(render_id)
    answer = rest.ask(
        "get_render", "GET", f"render/{render_id}", refusals={404: "render_not_found"}
    )
    return answers.item(answer, item_id=render_id)


def list_renders(*, count: int = MAX_RENDERS, offset: int = 0) -> list[Remote]:
    """Renders of all sessions, the newest first: at most `count` from `offset` on."""
    path = rest.page("render", offset=offset, count=count)
    return answers.items(rest.ask("list_renders", "GET", path, refusals={}))
