"""Web pages as streams of a session: OpenTok's Experience Composer."""

from video import answers, ids, rest, sessions
from video.answers import Remote

MAX_RENDERS = 1000


def start_render(
    session_id: str,
    *,
    token: str,
    url: str,
    max_duration: int | None = None,
    resolution: str | None = None,
    name: str | None = None,
) -> Remote:
    """Open a page, and publish it with `token`, a publisher's. Error: render_refused."""
    body = rest.given(
        sessionId=sessions.checked(session_id),
        token=token,
        url=url,
        maxDuration=max_duration,
        resolution=resolution,
        properties=None if name is None else {"name": name},
    )
    answer = rest.ask(
        "start_render",
        "POST",
        "render",
        body,
        refusals={400: "render_refused", 404: "nobody_connected"},
    )
    return answers.item(answer, session_id=session_id)


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
