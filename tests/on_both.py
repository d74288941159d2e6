"""Run the whole suite on SQLite and on PostgreSQL at the same time: `python -m tests.on_both`.

Further arguments go to both runs of pytest.
"""

import sys
import threading
from subprocess import PIPE, STDOUT, Popen

from tests.commands import Commands

# The subject of these files is not what is stored: they run on SQLite alone.
ONCE = [
    # another program than the server
    "emulator_*", "on_heroku", "run", "bench", "commands",
    # how it is configured and started: the databases that it refuses are in test_database_*.py
    "start_up", "dotenv", "contract_deployment", "deployment_files", "listening",
    "credentials_of_the_server", "doctor",
    # what comes before a view
    "hosts", "encodings", "slow_bodies", "contract_cors", "the_edge", "threads",
    "server_processes", "request_log",
    # limits on requests, which are counted in memory or in Redis
    "limits", "limit_windows", "api_limits",
    # calls to OpenTok
    "api_moderation", "door_calls", "door_to_opentok", "failing_opentok", "words_of_opentok",
    # what is published
    "schema", "documents",
]  # fmt: skip
RUNS = {"sqlite": [], "postgresql": [f"--ignore-glob=tests/test_{name}.py" for name in ONCE]}
# Of each run. Tests wait a good deal, for processes and for time-outs.
WORKERS = ["-n", "2", "--dist", "worksteal"]


def main() -> int:
    commands, tellers = Commands(), []
    for name, options in RUNS.items():
        run = commands.start(command(name, options), stdout=PIPE, stderr=STDOUT)
        tellers.append(threading.Thread(target=tell, args=(name, run), daemon=True))
        tellers[-1].start()
    statuses = commands.statuses()
    for teller in tellers:
        teller.join(10)
    return 1 if any(statuses) else 0


def command(name: str, options: list[str]) -> list[str]:
    pytest = ["-m", "pytest", "-o", f"cache_dir=.pytest_cache/{name}", *WORKERS, *options]
    return [sys.executable, "-m", f"tests.on_{name}", sys.executable, *pytest, *sys.argv[1:]]


def tell(name: str, run: Popen[str]) -> None:
    """Each line of its output as it comes, with the name of the database before it."""
    for line in run.stdout or ():
        sys.stdout.write(f"{name:10} | {line}")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
