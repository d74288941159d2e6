"""Which errors of the database mean that it cannot do its work now; all others are our mistakes."""

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
    """Whether it is the database's state and not the statement that is wrong."""
    # SQLite raises the base class for a damaged file, or one that is no database.
    if isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError:
        return True
    state = getattr(error.__cause__, "pgcode", None) or ""
    return isinstance(error, DatabaseError) and (state in STATES or state[:2] in CLASSES)
