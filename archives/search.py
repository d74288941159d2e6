"""Recordings, and what else has an id and a session, by one of these."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from video import ids
from web.indexes import TrigramIndex

Row = TypeVar("Row", bound=Model)

TRIGRAMS = TrigramIndex("archive_trigrams", "archives_archive", "folded_names")


def by_id_or_session(rows: QuerySet[Row], search_term: str) -> QuerySet[Row] | None:
    """Those of `rows` with this id or in this session; all for no term, None for another one."""
    term = search_term.strip()
    if not term:
        return rows
    if ids.UUID.fullmatch(term.lower()):
        return rows.filter(pk=term)
    in_session = rows.model._default_manager.filter(session_id=term).order_by()
    if not (ids.SESSION_ID.fullmatch(term) and in_session.exists()):
        return None
    # By the index of sessions in any case: with a filter SQLite would read all that this leaves.
    return rows.filter(pk__in=in_session.values("pk"))
