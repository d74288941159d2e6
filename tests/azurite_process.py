"""Runs Azurite, Microsoft's own imitation of Azure's storage, if this machine has it: it is a program
for Node, `npm install --global azurite`.
"""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
from typing import Self

import requests
from azure.storage.blob import BlobServiceClient

from config.environment import Storage as Address
from tests.server_process import free_port
from tests.service import Service

PROGRAM = shutil.which("azurite-blob")
ACCOUNT, CONTAINER = "roomstests", "recordings"
KEY = base64.b64encode(b"tests-only" * 6).decode()


class Azurite(Service):
    """`with Azurite() as storage: ... storage.place`"""

    name = "Azurite"

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/{ACCOUNT}"
        self.place = Address("azure", CONTAINER, "", "", self.url, ACCOUNT)
        credential = {"account_name": ACCOUNT, "account_key": KEY}
        service = BlobServiceClient(self.url, credential=credential)
        self.container = service.get_container_client(CONTAINER)
        self.folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> Self:
        assert PROGRAM
        command = [PROGRAM, "--blobPort", str(self.port), "--location", self.folder.name, "--silent",
                   "--skipApiVersionCheck", "--disableTelemetry"]  # fmt: skip
        self.start(command, env=os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"})
        self.container.create_container()
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self.folder.cleanup()

    def answers(self) -> bool:
        try:
            requests.get(self.url, timeout=5)
        except requests.RequestException:
            return False
        return True

    def put(self, key: str, content: bytes) -> None:
        self.container.upload_blob(key, content)

    def content(self, key: str) -> bytes:
        return self.container.download_blob(key).readall()

    def keys(self) -> list[str]:
        return [blob.name for blob in self.container.list_blobs()]
