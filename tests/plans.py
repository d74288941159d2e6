"""How PostgreSQL plans the queries of tests."""

from django.db import connection


def forbid(*scans: str) -> None:
    """No such scans, as `seqscan`, until the transaction ends. PostgreSQL would read a table as
    short as that of a test at once. SQLite reads an index wherever it can.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for scan in scans:
                cursor.execute(f"SET LOCAL enable_{scan} = off")
