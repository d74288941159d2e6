from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.emulator_process import Emulator

APPLICATION = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
# What became of each call, by SDK: the table at the end.
TOLD = pytest.StashKey[dict[str, dict[str, str]]]()


@pytest.fixture(scope="session")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a Vonage application whose key lives as long as the run."""
    folder = tmp_path_factory.mktemp("application")
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "private.pem").write_bytes(private)
    (folder / "public.pem").write_bytes(public)
    return {"private": str(folder / "private.pem"), "public": str(folder / "public.pem")}


@pytest.fixture(scope="session")
def emulator(credentials: dict[str, str]) -> Iterator[Emulator]:
    own = ["--application-id", APPLICATION, "--public-key", credentials["public"]]
    with Emulator(*own) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("tls") / "certificate.pem")


@pytest.fixture(scope="session")
def https_emulator(credentials: dict[str, str], certificate: str) -> Iterator[Emulator]:
    own = ["--application-id", APPLICATION, "--public-key", credentials["public"]]
    with Emulator(*own, "--tls-cert", certificate) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def told(pytestconfig: pytest.Config) -> dict[str, dict[str, str]]:
    return pytestconfig.stash.setdefault(TOLD, {})


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    told = config.stash.get(TOLD, {})
    if not told:
        return
    write = terminalreporter.write_line
    terminalreporter.section("calls of the SDKs")
    for number, sdk in enumerate(told, 1):
        write(f"{number}  {sdk}")
    calls = sorted({call for outcomes in told.values() for call in outcomes})
    write(" " * 30 + "".join(f"{number:5}" for number in range(1, len(told) + 1)))
    for call in calls:
        write(f"{call:30}" + "".join(f"{told[sdk].get(call, '-'):>5}" for sdk in told))
