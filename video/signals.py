"""Signals: messages to clients, without a sender."""

from video import ids, rest


def send_signal(
    session_id: str,
    *,
    data: str,
    type: str = "",  # noqa: A002
    connection_id: str | None = None,
) -> None:
    """To all clients of a session, or to one.

    Errors: signal_refused, nobody_connected, connection_not_found.
    """
    to = f"connection/{ids.connection_id(connection_id)}/" if connection_id is not None else ""
    rest.ask(
        "send_signal",
        "POST",
        rest.in_session(session_id, f"{to}signal"),
        rest.given(type=type or None, data=data),
        refusals={
            400: "signal_refused",
            404: "connection_not_found" if to else "nobody_connected",
            413: "signal_refused",
        },
    )
