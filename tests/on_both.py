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
    # a disk that SQLite's file is on
    "full_disk",
    # how it is configured and started: the databases that it refuses are in test_database_*.py
    "start_up", "dotenv", "contract_deployment", "deployment_files", "listening",
    "credentials_of_the_server", "secret_keys", "deploy_examples", "version", "doctor",
    # what comes before a view
    "hosts", "encodings", "slow_bodies", "contract_cors", "the_edge", "threads",
    "server_processes", "request_log",
    # limits on requests, which are counted in memory or in Redis
    "limits", "limit_windows", "api_limits", "refused",
    # how staff log in: what is counted of it has tests of its own
    "staff_log_in", "password_reset", "second_factor", "single_sign_on",
    # calls to OpenTok
    "api_moderation", "door_calls", "door_to_opentok", "failing_opentok", "words_of_opentok",
    # what is published
    "schema", "documents", "ten_things",
]  # fmt: skip
RUNS = {"sqlite": [], "postgresql": [f"--ignore-glob=tests/test_{name}.py" for name in ONCE]}
# Of each run. Tests wait a good deal, for processes and for time-outs.
WORKERS = ["-n", "2", "--dist", "worksteal"]
SUMMARY = " short test summary info "
LAST_LINES = 30


def main() -> int:
    return together({name: command(name, options) for name, options in RUNS.items()})


def together(runs: dict[str, list[str]]) -> int:
    """Run these commands at the same time; 1 if one of them fails. Ends with what failed in which.

    The failures that a run printed itself stand far above, when another one lasts longer.
    """
    commands, outputs, tellers = Commands(), {}, []
    for name, arguments in runs.items():
        run = commands.start(arguments, stdout=PIPE, stderr=STDOUT)
        outputs[name] = []
        tellers.append(threading.Thread(target=tell, args=(name, run, outputs[name]), daemon=True))
        tellers[-1].start()
    statuses = commands.statuses()
    for teller in tellers:
        teller.join(10)
    if not commands.is_ending:
        for name, status in zip(runs, statuses, strict=True):
            if status:
                sys.stdout.write(f"\nFailed on {name}:\n")
                sys.stdout.writelines(f"{name:10} | {line}" for line in failures(outputs[name]))
    return 1 if any(statuses) else 0


def command(name: str, options: list[str]) -> list[str]:
    pytest = ["-m", "pytest", "-o", f"cache_dir=.pytest_cache/{name}", *WORKERS, *options]
    return [sys.executable, "-m", f"tests.on_{name}", sys.executable, *pytest, *sys.argv[1:]]


def tell(name: str, run: Popen[str], output: list[str]) -> None:
    """Print and keep each line as it comes, with the name of the database before it."""
    for line in run.stdout or ():
        output.append(line)
        sys.stdout.write(f"{name:10} | {line}")
        sys.stdout.flush()


def failures(output: list[str]) -> list[str]:
    """The lines of pytest's summary that name them; without one the last lines."""
    headings = [number for number, line in enumerate(output) if SUMMARY in line]
    summary = output[headings[-1] :] if headings else []
    named = [line for line in summary if line.startswith(("FAILED ", "ERROR "))]
    return named or output[-LAST_LINES:]


if __name__ == "__main__":
    sys.exit(main())
