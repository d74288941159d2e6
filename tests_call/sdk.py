"""The browser SDK: installed by npm as the lock file says, and never part of this repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
# npm's own note of what it has installed.
INSTALLED = HERE / "node_modules" / ".package-lock.json"
SDK = HERE / "node_modules" / "@opentok" / "client" / "dist" / "js"
SECONDS = 180


def install() -> Path:
    """The folder with the SDK's scripts. npm checks what it brings against the lock file's hash."""
    if INSTALLED.exists() and INSTALLED.stat().st_mtime >= LOCK.stat().st_mtime:
        return SDK
    try:
        subprocess.run(["npm", "ci", "--prefer-offline"], cwd=HERE, check=True, timeout=SECONDS,
                       capture_output=True, text=True)  # fmt: skip
    except FileNotFoundError:
        unavailable("npm is not installed")
    except subprocess.TimeoutExpired:
        unavailable("npm did not end in time")
    except subprocess.CalledProcessError as error:
        if "EINTEGRITY" in error.stderr:
            raise
        unavailable(f"npm could not install it: {error.stderr.strip()[-300:]}")
    return SDK


def unavailable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"No browser SDK: {reason}")
    pytest.skip(f"no browser SDK: {reason}", allow_module_level=True)
