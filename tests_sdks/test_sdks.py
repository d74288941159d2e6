"""Every public call of the official SDKs, against the local OpenTok.

An SDK's driver makes the calls one after another and prints a line of JSON for each: `call`, `ok`,
`error`; the last line names the public methods that it has not called.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
import requests

from tests.emulator_process import Emulator
from tests_sdks.conftest import APPLICATION
from tests_sdks.exceptions import EXCEPTIONS
from tests_sdks.installing import HERE, environment_with, npm_packages


@dataclass(frozen=True)
class Setup:
    """`driver` is what comes after the interpreter; `packages` what brings it."""

    name: str
    driver: str
    packages: str
    vonage: bool = False
    https: bool = False

    def interpreter(self) -> str:
        if self.packages == "":
            return sys.executable
        if self.packages.endswith(".txt"):
            return str(environment_with(self.packages) / "python")
        return npm_packages(self.packages)


SETUPS = [
    Setup("npm opentok 2.15.2", "drive_opentok.js opentok-2.15", "opentok-2.15"),
    Setup("npm opentok 2.23.2", "drive_opentok.js opentok-2.23", "opentok-2.23"),
    Setup("npm opentok 2.23.2, Vonage", "drive_opentok.js opentok-2.23", "opentok-2.23", vonage=True),
    Setup("npm @vonage/video 1.31.1", "drive_vonage_video.js", "vonage-video", vonage=True),
    Setup("PyPI opentok 3.15.0", "drive_opentok.py", ""),
    Setup("PyPI opentok 3.15.0, Vonage", "drive_opentok.py", "", vonage=True),
    # It knows no other addresses than https.
    Setup("PyPI vonage-video 1.6.1", "drive_vonage.py", "requirements-vonage.txt", vonage=True, https=True),
]  # fmt: skip


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_every_call_of_an_sdk_works_but_for_its_own_bugs(
    setup, emulator, https_emulator, credentials, certificate, told
):
    interpreter = setup.interpreter()
    environment = os.environ | {
        "OPENTOK_URL": emulator.url, "OPENTOK_KEY": Emulator.api_key,
        "OPENTOK_SECRET": Emulator.secret,
        "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
    }  # fmt: skip
    if setup.vonage:
        environment |= {"OPENTOK_KEY": APPLICATION, "OPENTOK_SECRET": credentials["private"]}
    if setup.https:
        environment |= {"OPENTOK_URL": https_emulator.url, "REQUESTS_CA_BUNDLE": certificate}
    reset(environment["OPENTOK_URL"], certificate)
    done = subprocess.run(
        [interpreter, *setup.driver.split()],
        cwd=HERE, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *calls, last = [json.loads(line) for line in done.stdout.splitlines()]
    bugs = {call for name, call in EXCEPTIONS if name == setup.name}
    told[setup.name] = {
        each["call"]: "ok" if each["ok"] else "bug" if each["call"] in bugs else "FAIL"
        for each in calls
    }
    failed = {each["call"]: each["error"] for each in calls if not each["ok"]}
    assert failed.keys() == bugs, failed
    assert last == {"uncalled": []}
    # Some methods of some SDKs are silent about statuses that they do not know.
    assert refused(environment["OPENTOK_URL"], certificate) == []


def reset(url, certificate):
    requests.post(f"{url}/_control/reset", verify=certificate, timeout=5).raise_for_status()


def refused(url, certificate):
    seen = requests.get(f"{url}/_control/requests", verify=certificate, timeout=5).json()
    return [
        (each["method"], each["path"], each["status"])
        for each in seen["requests"]
        if each["status"] is None or each["status"] >= 300
    ]
