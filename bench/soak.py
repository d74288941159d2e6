"""`make bench-soak`: whether a server with everything on holds what it holds, hour after hour."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from psycopg2 import sql

from bench import databases, everything, processes, report, samples
from bench.lists import Staff
from bench.meetings import Program
from bench.processes import CREDENTIALS, ROOT, Running
from bench.report import spread, table, tell
from bench.traffic import NO_ANSWER, Client, Pace, Tally
from tests.emulator_process import Emulator
from tests.mail_server import MailServer
from tests.s3_process import Storage
from tests.webhook_receiver import Receiver

SECONDS = 30  # between two samples
# A shorter run is printed, and not written down.
WRITTEN_FROM = 60
METRICS_TOKEN = "bench-only-metrics-token"  # noqa: S105
MEETINGS = 6


@dataclass
class Soak:
    """A server and a worker of its own, and what was seen of them."""

    server: Running
    worker: int
    tally: Tally = field(default_factory=Tally)
    # By process and what it holds.
    series: defaultdict[tuple[str, str], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    in_all: list[float] = field(default_factory=list)
    rows: list[Counter[str]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._first = self.processes()
        self._spent = self._cpu_seconds()

    def processes(self) -> dict[str, int]:
        first, *others = self.server.pids()
        names = {f"process {number}": pid for number, pid in enumerate(others, 1)}
        return {"first process": first, **names, "`manage.py worker`": self.worker}

    def watch(self, minutes: float) -> None:
        with closing(databases.connect(self.server.database)) as connection:
            while (passed := time.monotonic() - self.began) < 60 * minutes:
                time.sleep(SECONDS)
                self._sample(connection.cursor())
                answers = self.tally.in_all()
                tell(f"minute {passed / 60:.0f}: {self.in_all[-1]:.0f} MB, {_statuses(answers)}")

    def _sample(self, cursor: Any) -> None:
        for who, pid in self.processes().items():
            for what, held in samples.held_by(pid).items():
                self.series[who, what].append(held)
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self.series["all together", samples.CONNECTIONS].append(cursor.fetchone()[0])
        self.in_all.append(samples.in_all(self.server.pids()))
        self.rows.append(_rows(cursor))

    def _cpu_seconds(self) -> list[float]:
        return [self.server.cpu_seconds(), processes.cpu_seconds([self.worker])]

    def shares(self) -> list[float]:
        """Of a core, in %, that the server and the worker have taken."""
        whole = time.monotonic() - self.began
        return [
            100 * (now - before) / whole
            for now, before in zip(self._cpu_seconds(), self._spent, strict=True)
        ]

    def faults(self, log: "Log") -> Iterator[str]:
        """Sentences."""
        for (who, what), values in self.series.items():
            if not samples.is_flat(what, values):
                yield f"Not flat: {what} of {who}, {samples.growth(values):+.1f}."
        if self.processes() != self._first:
            yield "Processes have ended, and others have taken their place."
        if unanswered := self.tally.in_all()[NO_ANSWER]:
            yield f"{unanswered:,} requests got no answer."
        for what, number in (log.errors + self.tally.failures).items():
            yield f"{number:,} × {what}"


class Log:
    """What the server and the worker have written: how many requests, and what went wrong."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.requests = 0
        # A 5xx by its route, other errors by the beginnings of their lines.
        self.errors: Counter[str] = Counter()
        for line in lines:
            told: dict[str, Any] = (
                json.loads(line) if line.startswith("{") else {"message": line, "level": "?"}
            )
            if "route" in told:
                self.requests += 1
                if told["status"] >= 500:
                    self.errors[f"{told['status']} for {told['method']} {told['route']}"] += 1
            elif told["level"] not in {"info", "warning"} or "exception" in told:
                self.errors[f"in the log: {told['message'][:120]}"] += 1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    processes.require()
    sections, faults = measure(options.minutes)
    if options.minutes < WRITTEN_FROM:
        print("\n".join(sections))
    else:
        report.write("make bench-soak", *sections)
    sys.exit("\n".join(faults) or None)


def measure(minutes: float) -> tuple[list[str], list[str]]:
    """The sections of the report, and what is wrong."""
    with ExitStack() as stack:
        enter = stack.enter_context
        database = enter(databases.new_databases("soak"))["PostgreSQL"]["soak"]
        opentok, storage = enter(Emulator()), enter(Storage())
        receiver, mails = enter(Receiver()), enter(MailServer())
        written = stack.enter_context(tempfile.TemporaryFile())
        storage.reset()
        variables = storage.variables | {
            "RATE_LIMITS": " ", "TRUSTED_PROXIES": "1", "METRICS_TOKEN": METRICS_TOKEN,
            "WEBHOOK_ALLOW_PRIVATE": "on", "EMAIL_URL": mails.url, "ALLOWED_HOSTS": "127.0.0.1",
            "DEFAULT_FROM_EMAIL": "rooms@example.com", "OPENTOK_API_URL": opentok.url,
        }  # fmt: skip
        server = enter(
            processes.ours("server", database, opentok, log=written.fileno(), **variables)
        )
        soak = Soak(server, enter(worker(database, log=written.fileno(), **variables)))
        call_back(opentok, server)
        for pace in clients(soak, opentok, receiver):
            enter(pace)
        soak.watch(minutes)
        written.seek(0)
        log = Log(written.read().decode(errors="replace").splitlines())
        faults = [*soak.faults(log)]
        done = (
            f"{log.requests:,} requests, {log.requests / 60 / minutes:.0f} a second; "
            f"{len(receiver.told):,} events reached the webhook, {mails.mails.qsize()} mails were "
            f"sent, and {copied(database):,} recordings copied"
        )
        version = report.machine(f"PostgreSQL {databases.version(database)}")
        return [version + "\n", *sections(soak, minutes, done, faults)], faults


@contextmanager
def worker(database: str, *, log: int, **more: str) -> Iterator[int]:
    """The Procfile's, beside those that are in the server's processes. Its process id."""
    environment = os.environ | CREDENTIALS | processes.settings(database) | more
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"], cwd=ROOT, env=environment, stdout=log, stderr=log
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def call_back(opentok: Emulator, server: Running) -> None:
    told = {"urls": {"all": f"{server.url}/callbacks"}, "secret": processes.CALLBACK_SECRET}
    opentok.control("POST", "/callback-url", told)


def clients(soak: Soak, opentok: Emulator, receiver: Receiver) -> Iterator[Pace]:
    """All of them, and how many steps each takes in a second: some twenty requests in all."""
    server, tally = soak.server, soak.tally
    key = Program(server, server.database, can="manage,broadcast,caption,moderate,audit")
    staff = Staff(server, server.database)
    webhook = {"url": receiver.url, "events": ["*"]}
    client = Client("programs", server, tally, key.session)
    receiver.secret = client.post("/api/v1/webhooks", webhook).json()["secret"]
    who: list[tuple[str, float, Any]] = [
        ("known rooms", 6, everything.known_rooms),
        ("join pages", 0.5, everything.join_pages),
        ("new rooms", 0.5, everything.new_rooms),
        *(
            ("meetings", 0.5, partial(everything.meetings, opentok=opentok, room=f"meeting-{n}"))
            for n in range(MEETINGS)
        ),
        ("forgotten passwords", 1 / 60, everything.forgotten_passwords),
        ("probes", 1, partial(everything.probes, metrics_token=METRICS_TOKEN)),
        ("over the limit", 2, everything.greedy),
        ("bad requests", 1, everything.bad_requests),
        ("hang-ups", 2, everything.hanging_up),
    ]
    for kind, rate, begin in who:
        yield Pace(partial(begin, Client(kind, server, tally)), rate=rate, tally=tally)
    yield Pace(partial(everything.program, client, opentok), rate=2, tally=tally)
    browser = Client("staff", server, tally, staff.browser)
    yield Pace(partial(everything.staff_pages, browser, staff), rate=1, tally=tally)


def copied(database: str) -> int:
    with closing(databases.connect(database)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM archives_archive WHERE stored_at IS NOT NULL")
        return int(cursor.fetchone()[0])


def _rows(cursor: Any) -> Counter[str]:
    """How many each table has."""
    cursor.execute("SELECT relname FROM pg_stat_user_tables")
    found: Counter[str] = Counter()
    for (name,) in cursor.fetchall():
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
        found[name] = cursor.fetchone()[0]
    return found


def sections(soak: Soak, minutes: float, done: str, faults: list[str]) -> Iterator[str]:
    of_server, of_worker = soak.shares()
    yield (
        f"### {minutes:,.0f} minutes with everything on\n\nOn PostgreSQL, with two processes, each "
        "with its worker, and `manage.py worker` besides; limits, metrics, callbacks, a webhook "
        "for all events, mails, and copies of recordings to an S3 service. "
        f"{done}. The server took {of_server:.0f} % of a core, the worker {of_worker:.0f} %.\n"
    )
    yield "".join(f"- **{fault}**\n" for fault in faults or ["All is flat, and nothing failed."])
    yield (
        "Answers to clients; 0 is none. Callbacks and who hangs up are not among them.\n\n"
        + table(
            "who | answers | by status",
            [
                [kind, f"{each.total():,}", _statuses(each)]
                for kind, each in sorted(soak.tally.answers.items())
            ],
        )
    )
    yield (
        f"Samples were taken each {SECONDS} s. Flat is what has a median in the last third that is "
        "at most as much above that of the second third as is allowed; the first third is the "
        "warm-up.\n\n"
        + table(
            "process | what | second third | last third | growth | allowed | flat",
            samples.judged(soak.series),
        )
        + f"\nThe server's processes take {spread(samples.thirds(soak.in_all)[1])} MB together, if "
        "pages that they share count once.\n"
    )
    yield "Rows may grow, and memory not with them.\n\n" + table(
        "table | after the first sample | at the end", _growing(soak.rows)
    )


def _statuses(answers: Counter[int]) -> str:
    return ", ".join(f"{number:,} × {status}" for status, number in sorted(answers.items()))


def _growing(rows: list[Counter[str]]) -> Iterable[list[str]]:
    return [
        [f"`{name}`", f"{rows[0][name]:,}", f"{rows[-1][name]:,}"]
        for name in sorted(rows[-1])
        if rows[0][name] != rows[-1][name]
    ]


if __name__ == "__main__":
    main()
