"""Which database errors mean that the database is unavailable; all others are bugs of ours."""

from django.db import DatabaseError, InterfaceError, OperationalError

# SQLSTATEs that psycopg2 counts as mistakes of the program, or as internal:
# https://www.postgresql.org/docs/current/errcodes-appendix.html
STATES = {
    "25006",  # read-only, as after a failover or on a full disk
    "25P03",  # ended by a limit on idle transactions
    "42501",  # a privilege was revoked
    "2200H",  # a sequence is used up
    "P0001",  # a trigger refuses, as a host's for its quota does
    "42P01", "42703", "3F000",  # not migrated; SQLite's "no such table" is an OperationalError
}  # fmt: skip
# Their first two digits: connection, resources, state, intervention, system, configuration, damage.
CLASSES = {"08", "53", "55", "57", "58", "F0", "XX"}


def is_unavailable(error: BaseException) -> bool:
    """Whether the state of the database is the cause, and not the statement."""
    # SQLite raises the base class for a damaged file, or one that is no database.
    if isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError:
        return True
    state = getattr(error.__cause__, "pgcode", None) or ""
    return isinstance(error, DatabaseError) and (state in STATES or state[:2] in CLASSES)
