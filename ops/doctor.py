"""What is wrong with this server and what to do about it, found by trying: `manage.py doctor`."""

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Literal, cast

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.checks import ERROR, CheckMessage, Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from access.capabilities import SENSITIVE, Capability
from access.limits import in_redis
from access.shared_files import temporary_folder
from archives import storage
from archives.models import Archive
from archives.search import TRIGRAMS as RECORDINGS
from archives.states import Status
from meetings.models import Meeting, Stream
from ops import jobs
from ops.checks import STARTUP
from ops.disk import storage_use
from ops.write_probe import try_to_write
from rooms.search import TRIGRAMS as ROOMS
from video import accounts, probe
from video.errors import VideoError
from web import listening
from web.errors import Problem
from web.static import ForgivingManifestStorage
from web.version import VERSION

# A process holds the connections of its clients, which stay open between requests.
ENOUGH_OPEN_FILES = 1024
# Of these, one at least should have been told of.
NEWEST_RECORDINGS = 10
NEWEST_MEETINGS = 10
# A worker looks each second, and a job takes ten minutes at most.
LEAST_FREE = 0.1
LONGEST_WAIT = timedelta(minutes=15)
# Django's own checks of what https() tells in a line: HSTS, the redirect, and secure cookies.
ABOUT_HTTPS = {"security.W004", "security.W008", "security.W010", "security.W016"}


@dataclass(frozen=True)
class Finding:
    """An error keeps the server from working or from being safe; a warning does not yet."""

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    yield from release()
    yield from configuration()
    yield from opentok()
    yield from database()
    yield from disk()
    yield from static_files()
    yield from https()
    yield from security()
    yield from access()
    yield from callbacks()
    yield from session_monitoring()
    yield from background_jobs()
    yield from recordings()
    yield from phones()
    yield from search()
    yield from limits()
    yield from rate_limits()


def release() -> Iterator[Finding]:
    yield Finding("ok", "release", f"OpenTok Rooms {VERSION}.")


def configuration() -> Iterator[Finding]:
    found = run_checks(tags=[STARTUP], include_deployment_checks=True)
    yield from _from_checks("configuration", found)
    said = [check.msg for check in found]
    for look in (partial(listening.resolve, settings.LISTEN), temporary_folder):
        try:
            look()
        except ImproperlyConfigured as error:
            if str(error) not in said:
                said.append(str(error))
                yield Finding("error", "configuration", str(error))
    if not said:
        yield Finding("ok", "configuration", "What is needed is set, and fits together.")


def opentok() -> Iterator[Finding]:
    try:
        account = accounts.current()
        found = probe.check()
    except ImproperlyConfigured:
        return  # configuration() has said so
    except VideoError as error:
        yield Finding(
            "error",
            "opentok",
            f"{error.title}, at {account.api_url}: {error.reason}.",
            "Try again. If it stays so, see whether this machine may call that address, and "
            "whether OPENTOK_API_URL is right, if it is set.",
        )
        return
    if found.credentials:
        yield Finding("error", "credentials", found.credentials.problem, found.credentials.remedy)
    elif found.accepted:
        yield Finding("ok", "credentials", f"OpenTok takes those of {account.project_id}.")
    if found.clock:
        yield Finding("error", "clock", found.clock.problem, found.clock.remedy)
    else:
        yield Finding("ok", "clock", "OpenTok's answer shows no other time.")


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
        )
        return
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        yield Finding("ok", "database", f"{connection.display_name} answers.")
        first, _ = plan[0]
        message = f"{len(plan)} have not run, from {first.app_label}.{first.name} on."
        yield Finding("error", "migrations", message, "Run `python manage.py migrate`.")
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


def disk() -> Iterator[Finding]:
    try:
        use = storage_use()
    except DatabaseError:
        return  # database() has said so
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


def static_files() -> Iterator[Finding]:
    remedy = "Run `python manage.py collectstatic --noinput`."
    storage = cast(ForgivingManifestStorage, staticfiles_storage)
    collected, _ = storage.load_manifest()
    missing = sorted(
        name
        for finder in get_finders()
        for name, _ in finder.list(StaticFilesConfig.ignore_patterns)
        if not (name in collected and storage.exists(collected[name]))
    )
    if not collected:
        message = "They are not collected, so that browsers may not keep them for long."
        yield Finding("warning", "static files", message, remedy)
    elif missing:
        message = f"{len(missing)} are not among the collected ones, such as {missing[0]}."
        yield Finding("error", "static files", message, remedy)
    else:
        yield Finding("ok", "static files", "All of them are collected.")


def https() -> Iterator[Finding]:
    if not settings.SECURE_SSL_REDIRECT:
        yield Finding(
            "warning",
            "https",
            "SECURE_SSL_REDIRECT is off: tokens and cookies may travel over plain http, and behind "
            "a proxy that ends TLS nobody can log in to the admin.",
            "Set SECURE_SSL_REDIRECT=on, unless only this machine uses the server.",
        )
        return
    yield Finding(
        "ok",
        "https",
        "http leads to https, with HSTS; cookies are for https alone. That takes a proxy in front "
        "which ends TLS and sends X-Forwarded-Proto.",
    )


def security() -> Iterator[Finding]:
    """What Django has to say of the rest, such as SECRET_KEY and DEBUG."""
    found = run_checks(tags=[Tags.security], include_deployment_checks=True)
    told = [check for check in found if not check.is_silenced() and check.id not in ABOUT_HTTPS]
    yield from _from_checks("security", told)
    if not told:
        yield Finding("ok", "security", "SECRET_KEY is long enough, and DEBUG is off.")


def access() -> Iterator[Finding]:
    """What ANONYMOUS_ACCESS leaves open."""
    words = [word for word in Capability if word in settings.ANONYMOUS_ACCESS]
    sentence = f"Without a key all clients may: {', '.join(words) or 'nothing'}."
    if sensitive := [word for word in SENSITIVE if word in words]:
        yield Finding(
            "warning",
            "access",
            f"{sentence} That costs money, or acts on other people.",
            f"Take {', '.join(sensitive)} out of ANONYMOUS_ACCESS, unless only clients that you "
            "trust reach this server. Participants can caption their own session without it.",
        )
    else:
        yield Finding("ok", "access", sentence)


def callbacks() -> Iterator[Finding]:
    if not settings.CALLBACK_SECRET:
        yield Finding(
            "warning",
            "callbacks",
            "CALLBACK_SECRET is not set, so that OpenTok cannot tell this server anything: lists "
            "show recordings as they were when last asked for, and who is in a room is known only "
            "when somebody looks.",
            "Register /callbacks of this server at OpenTok, with a signature secret, and set "
            "CALLBACK_SECRET to the same.",
        )
        return
    try:
        newest = Archive.objects.values_list("called_back_at", flat=True)[:NEWEST_RECORDINGS]
        called = [moment for moment in newest if moment]
    except DatabaseError:
        return  # database() has said so
    if newest and not called:
        yield Finding(
            "warning",
            "callbacks",
            f"None came about the {len(newest)} newest recordings.",
            "Check at OpenTok that /callbacks of this server is registered, by https and for "
            "archives. If the log has `A callback was refused`, set CALLBACK_SECRET to the "
            "signature secret there. OpenTok may take half an hour to go by a change.",
        )
    elif called:
        message = f"One about the newest recordings came at {max(called):%Y-%m-%d %H:%M} UTC."
        yield Finding("ok", "callbacks", message)
    else:
        yield Finding("ok", "callbacks", "None has come yet; nothing has been recorded.")


def session_monitoring() -> Iterator[Finding]:
    """Of streams callbacks alone tell; of connections OpenTok's own list does as well."""
    if not settings.CALLBACK_SECRET:
        return  # callbacks() has said so
    try:
        newest = list(Meeting.objects.values_list("pk", flat=True)[:NEWEST_MEETINGS])
        told = Stream.objects.filter(connection__meeting__in=newest).exists()
    except DatabaseError:
        return  # database() has said so
    if newest and not told:
        yield Finding(
            "warning",
            "session monitoring",
            "No callback told who published in the newest meetings.",
            "Check at OpenTok that /callbacks of this server is registered for session monitoring "
            "as well. Without it bans, limits of people and recordings of every meeting come late, "
            "and who was in a meeting is known in part.",
        )
    elif newest:
        yield Finding("ok", "session monitoring", "Callbacks told of the newest meetings.")


def background_jobs() -> Iterator[Finding]:
    try:
        wait, failed = jobs.longest_wait(), jobs.counts()["failed"]
    except DatabaseError:
        return  # database() has said so
    if wait > LONGEST_WAIT:
        yield Finding(
            "error",
            "background jobs",
            f"One has waited for {round(wait.total_seconds() / 60)} minutes: no worker runs.",
            "Set WORKER to on, or run `python manage.py worker` as a process of its own.",
        )
    if failed:
        yield Finding(
            "warning",
            "background jobs",
            f"{failed} failed, and are not tried again.",
            "The admin has them under “Jobs”, with what went wrong and a button to try again.",
        )
    if wait <= LONGEST_WAIT and not failed:
        yield Finding("ok", "background jobs", "None waits for long, and none has failed.")


def recordings() -> Iterator[Finding]:
    """How long their files are kept."""
    if storage.is_set():
        yield from own_storage()
        return
    try:
        newest = list(Archive.objects.values_list("status", flat=True)[:NEWEST_RECORDINGS])
    except DatabaseError:
        return  # database() has said so
    if Status.UPLOADED in newest:
        told = (
            "OpenTok uploads them to your own storage. Set ARCHIVE_STORAGE_URL to watch them here."
        )
    else:
        told = (
            "OpenTok deletes each after 72 hours. Set ARCHIVE_STORAGE_URL to keep them for longer."
        )
    yield Finding("ok", "recordings", told)


def own_storage() -> Iterator[Finding]:
    try:
        storage.current().try_out()
    except Problem as error:
        yield Finding(
            "error",
            "recordings",
            f"The storage of ARCHIVE_STORAGE_URL takes no files: {error.reason}.",
            "Check its name, region and endpoint, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and "
            "that they may read and write in that bucket.",
        )
    else:
        yield Finding("ok", "recordings", "The storage of ARCHIVE_STORAGE_URL takes files.")
    try:
        lost = Archive.objects.lost_soon().count()
    except DatabaseError:
        return  # database() has said so
    if lost:
        yield Finding(
            "error",
            "recordings",
            f"OpenTok deletes {lost} within six hours that are not in the storage yet.",
            "Their pages in the admin say why. Download them there, or mend the storage.",
        )


def phones() -> Iterator[Finding]:
    if not (settings.CONFERENCE_NUMBER or settings.SIP_URI):
        yield Finding("ok", "phones", "Not set up; rooms are without them.")
    elif settings.VOICE_SIGNATURE_SECRET:
        yield Finding("ok", "phones", "Set up, and webhooks of the Voice API have to be signed.")
    else:
        yield Finding(
            "warning",
            "phones",
            "VOICE_SIGNATURE_SECRET is not set, so that webhooks of the Voice API are not checked.",
            "Set it to the signature secret of the Vonage account.",
        )


def search() -> Iterator[Finding]:
    """PostgreSQL needs an extension for some of its indexes."""
    if connection.vendor != "postgresql":
        return
    try:
        missing = [index for index in (ROOMS, RECORDINGS) if not index.exists(connection)]
    except DatabaseError:
        return  # database() has said so
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
    if given is not None and wanted > given:
        yield Finding(
            "warning",
            "limits",
            f"The {settings.WEB_CONCURRENCY} processes may want {wanted} connections to "
            f"PostgreSQL, which gives {given}.",
            f"Set WEB_CONCURRENCY to {max(1, given // settings.DATABASE_CONNECTIONS)}, or get a "
            "larger PostgreSQL.",
        )
    elif given is not None:
        message = f"PostgreSQL gives {given} connections; the processes want {wanted} at most."
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


def rate_limits() -> Iterator[Finding]:
    if settings.RATE_LIMITS and settings.SECURE_SSL_REDIRECT and not settings.TRUSTED_PROXIES:
        yield Finding(
            "warning",
            "rate limits",
            "SECURE_SSL_REDIRECT says that a proxy is in front, and TRUSTED_PROXIES is 0: all "
            "clients count as one address, the proxy's.",
            "Set TRUSTED_PROXIES to how many proxies write X-Forwarded-For, mostly 1.",
        )
    if not settings.REDIS_URL:
        yield Finding("ok", "rate limits", "Without REDIS_URL each process counts by itself.")
    elif error := in_redis(settings.REDIS_URL).try_out():
        yield Finding(
            "warning",
            "rate limits",
            f"They cannot be counted in Redis: {error}",
            "Correct REDIS_URL, or take it away, and each process counts by itself.",
        )
    else:
        yield Finding("ok", "rate limits", "They can be counted in Redis.")


def _words(error: DatabaseError) -> str:
    """What the database says, to be put into a sentence."""
    return " ".join(str(error).split()).rstrip(".?")


def _connections_given() -> int | None:
    """How many connections PostgreSQL has for this server; None if that cannot be told."""
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


def _from_checks(subject: str, found: list[CheckMessage]) -> Iterator[Finding]:
    for check in found:
        level: Literal["warning", "error"] = "error" if check.level >= ERROR else "warning"
        yield Finding(level, subject, check.msg, check.hint or "")
