"""Searches by id or session, for recordings and other rows that have both."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from video import ids
from web.indexes import TrigramIndex

Row = TypeVar("Row", bound=Model)

TRIGRAMS = TrigramIndex("archive_trigrams", "archives_archive", "folded_names")


def by_id_or_session(rows: QuerySet[Row], search_term: str) -> QuerySet[Row] | None:
    """The rows with this id or session; all for an empty term, None for any other term."""
    term = search_term.strip()
    if not term:
        return rows
    if ids.UUID.fullmatch(term.lower()):
        return rows.filter(pk=term)
    in_session = rows.model._default_manager.filter(session_id=term).order_by()
    if not (ids.SESSION_ID.fullmatch(term) and in_session.exists()):
        return None
    # A subquery by the index of sessions: with filters SQLite would use another index.
    return rows.filter(pk__in=in_session.values("pk"))
