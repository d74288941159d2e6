"""Examinations of the database."""

import resource
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from archives.search import TRIGRAMS as RECORDINGS
from ops.disk import storage_use
from ops.doctor import platforms
from ops.doctor.finding import Finding
from ops.write_probe import try_to_write
from rooms.search import TRIGRAMS as ROOMS

# A process holds the connections of its clients, which stay open between requests.
ENOUGH_OPEN_FILES = 1024
LEAST_FREE = 0.1


def database() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        yield Finding(
            "error",
            "database",
            f"It cannot be used: {_words(error)}.",
            "Check DATABASE_URL, and that the database is up, or for SQLite that its folder may be "
            "written to.",
            variables=("DATABASE_URL=…",),
        )
        return
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        yield Finding("ok", "database", f"{connection.display_name} answers.")
        first, _ = plan[0]
        message = f"{len(plan)} have not run, from {first.app_label}.{first.name} on."
        yield Finding(
            "error",
            "migrations",
            message,
            "Run `python manage.py migrate`.",
            command="python manage.py migrate",
        )
    else:
        yield from writes()
        yield Finding("ok", "migrations", "All of them have run.")


def writes() -> Iterator[Finding]:
    try:
        try_to_write()
    except DatabaseError as error:
        yield Finding(
            "error",
            "database",
            f"It can be read and takes no writes: {_words(error)}.",
            "Make room on its disk if that is full. Let the user of DATABASE_URL write to it, and "
            "after a failover name the new primary there. For SQLite let this user write to the "
            "file and to its folder.",
        )
    else:
        yield Finding("ok", "database", f"{connection.display_name} answers, and takes writes.")


def lasting() -> Iterator[Finding]:
    """Whether SQLite's file is on a permanent disk, such as a mounted one."""
    here = platforms.current()
    if here.loss is None or connection.vendor != "sqlite":
        return
    folder = Path(connection.settings_dict["NAME"]).parent
    if folder.exists() and folder.stat().st_dev != Path("/").stat().st_dev:
        yield Finding(
            "ok", "database file", f"Its file is on a disk of its own in the {here.unit}."
        )
        return
    yield Finding(
        here.loss,
        "database file",
        f"It is SQLite, a file on the disk of the {here.unit}, which is thrown away at each "
        "deploy, and all rooms with it.",
        here.disk,
        variables=("DATABASE_URL=…",),
    )


def disk() -> Iterator[Finding]:
    use = storage_use()
    if not use.disk:
        return
    free = use.free / use.disk
    told = f"{free:.0%} of the database's disk is free, {use.free / 1e9:.1f} GB."
    if free < LEAST_FREE:
        yield Finding(
            "warning", "disk", told, "Enlarge it, or keep less: `manage.py retention --dry-run`."
        )
    else:
        yield Finding("ok", "disk", told)


def search() -> Iterator[Finding]:
    """Whether PostgreSQL has the trigram indexes, which need an extension."""
    if connection.vendor != "postgresql":
        return
    missing = [index for index in (ROOMS, RECORDINGS) if not index.exists(connection)]
    if not missing:
        yield Finding("ok", "search", "Parts of names are looked for in indexes.")
        return
    statements = " ".join(f"{index.statement};" for index in missing)
    yield Finding(
        "warning",
        "search",
        "A search reads all names, since indexes of trigrams are missing.",
        "Have an administrator of the database run in it: CREATE EXTENSION pg_trgm; "
        f"Then run there, each by itself: {statements}",
    )


def limits() -> Iterator[Finding]:
    wanted, given = settings.WEB_CONCURRENCY * settings.DATABASE_CONNECTIONS, _connections_given()
    fitting = max(1, (given or 0) // settings.DATABASE_CONNECTIONS)
    unit = f"each {platforms.current().unit}"
    if given is not None and wanted > given:
        yield Finding(
            "warning",
            "limits",
            f"The {settings.WEB_CONCURRENCY} processes of {unit} may want {wanted} connections to "
            f"PostgreSQL, which gives {given}.",
            f"Set WEB_CONCURRENCY to {fitting}, or get a larger PostgreSQL.",
            variables=(f"WEB_CONCURRENCY={fitting}",),
        )
    elif given is not None:
        message = (
            f"PostgreSQL gives {given} connections; the processes of {unit} want {wanted} at most."
        )
        yield Finding("ok", "limits", message)
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < ENOUGH_OPEN_FILES:
        yield Finding(
            "warning",
            "limits",
            f"A process may have {files} open files, and each client's connection is one.",
            f"Start the server after `ulimit -n {4 * ENOUGH_OPEN_FILES}`.",
        )
    else:
        yield Finding("ok", "limits", "A process may have enough open files.")


def _words(error: DatabaseError) -> str:
    """The message of an error, to be put into a sentence."""
    return " ".join(str(error).split()).rstrip(".?")


def _connections_given() -> int | None:
    """How many connections PostgreSQL has for this server; None if unknown."""
    if connection.vendor != "postgresql":
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('max_connections')::int"
                " - current_setting('superuser_reserved_connections')::int, rolconnlimit"
                " FROM pg_roles WHERE rolname = current_user"
            )
            in_all, for_role = cursor.fetchone()
    except DatabaseError:
        return None  # database() has said so
    return int(in_all if for_role < 0 else min(in_all, for_role))
