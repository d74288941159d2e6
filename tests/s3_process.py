"""Runs an S3 service for the tests: moto, which keeps its files in memory."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Self

import botocore.session
import requests

from config.environment import Storage as Address
from tests.server_process import free_port
from tests.service import Service

BUCKET = "recordings"


class Storage(Service):
    """`with Storage() as storage: ... storage.variables`"""

    name = "moto"

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.bucket = Address("s3", BUCKET, "", "eu-west-1", self.url)
        self.variables = {
            "ARCHIVE_STORAGE_URL": f"s3://{BUCKET}?region=eu-west-1&endpoint={self.url}",
            "AWS_ACCESS_KEY_ID": "AKIATESTS",
            "AWS_SECRET_ACCESS_KEY": "hunter2-storage",
        }
        self.client: Any = botocore.session.Session().create_client(
            "s3",
            region_name="eu-west-1",
            endpoint_url=self.url,
            aws_access_key_id="AKIATESTS",
            aws_secret_access_key="hunter2-storage",
        )

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.start(command, stderr=subprocess.DEVNULL)
        return self

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/moto-api/data.json", timeout=5).ok
        except requests.RequestException:
            return False

    def reset(self) -> None:
        """An empty bucket."""
        requests.post(f"{self.url}/moto-api/reset", timeout=10).raise_for_status()
        self.client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def content(self, key: str) -> bytes:
        answer = self.client.get_object(Bucket=BUCKET, Key=key)
        return bytes(answer["Body"].read())

    def keys(self) -> list[str]:
        listed = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [each["Key"] for each in listed]

    def unfinished(self) -> list[str]:
        """The keys of uploads that were begun."""
        listed = self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return [each["Key"] for each in listed]
