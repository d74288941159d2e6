"""Brings the SDKs of other languages and versions, once each, into folders that git ignores."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NODE_AT_LEAST = 20
# How npm and pip say that nobody answers.
UNREACHABLE = re.compile(
    "ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH"
    "|NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError"
)
SECONDS = 300


def npm_packages(folder: str) -> str:
    """Install what the folder's package-lock.json names. Returns the path of Node.js."""
    node = node_with_npm()
    lock, modules = HERE / folder / "package-lock.json", HERE / folder / "node_modules"
    if is_new(lock, modules):
        environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
        # No package's own scripts run, and what npm has downloaded before it takes from its cache.
        command = ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
        install(command, cwd=lock.parent, env=environment)
        note(lock, modules)
    return str(node)


def node_with_npm() -> Path:
    """This machine's Node.js, or else one from PyPI, for which nobody has to be root."""
    node = shutil.which("node")
    if node and shutil.which("npm"):
        version = subprocess.check_output([node, "--version"], text=True)
        if int(version.lstrip("v").split(".")[0]) >= NODE_AT_LEAST:
            return Path(node)
    return environment_with("requirements-node.txt") / "node"


def environment_with(requirements: str) -> Path:
    """A virtual environment of these requirements' own. Returns the folder of its programs."""
    wanted = HERE / requirements
    folder = HERE / ".venv" / wanted.stem
    if is_new(wanted, folder):
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        install([*pip, "install", "--quiet", "-r", str(wanted)])
        note(wanted, folder)
    return folder / "bin"


def is_new(wanted: Path, folder: Path) -> bool:
    noted = folder / ".installed"
    return not noted.exists() or noted.read_text() != wanted.read_text()


def note(wanted: Path, folder: Path) -> None:
    (folder / ".installed").write_text(wanted.read_text())


def install(command: list[str], **options: object) -> None:
    """Skips the test if the registry cannot be reached; with CI set, it fails as for all else."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS,
            **options,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        said = unreached = f"no end after {SECONDS} seconds"
    else:
        if done.returncode == 0:
            return
        said = done.stdout
        unreached = next(filter(UNREACHABLE.search, said.splitlines()), "")
    if unreached and "CI" not in os.environ:
        pytest.skip(f"{Path(command[0]).name} cannot reach its registry: {unreached.strip()}")
    pytest.fail(f"Cannot install: {shlex.join(command)}\n{said}")
