"""Whatever a program sends, the answer is one that /api/schema/ describes, and no server error.

Schemathesis makes the requests up from the schema itself: what fits it, what is at its limits, and
what breaks it.
"""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from access.capabilities import Capability
from access.models import ApiKey
from api.openapi.views import schema

described = schemathesis.openapi.from_dict(json.loads(schema("json")))
made_up = settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
load_all_checks()
CONFORMS = CHECKS.get_by_names([
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance",
])  # fmt: skip


@pytest.fixture
def there(server, opentok):
    """What is there to be asked for, by the names that the schema has for it."""
    key = ApiKey(name="a program", capabilities=Capability.values)
    key.issue()
    recorded, other = [
        server.get(f"/room/{name}").json()["sessionId"] for name in ("lobby", "hall")
    ]
    opentok.connect(recorded)
    opentok.connect(other)
    archive = server.post("/archive/start", json={"sessionId": recorded}).json()["id"]
    stream = opentok.publish(recorded)
    return {
        "key": key.text, "name": "lobby", "archive_id": archive, "room": "hall", "sessionId": other,
        "stream_id": stream, "connectionId": opentok.connect(recorded),
        "connection_id": opentok.connect(recorded),
    }  # fmt: skip


@described.parametrize()
@made_up
def test_a_program_with_a_key_gets_what_is_described(case, server, there):
    aim(case, there)
    check(case, server, {"Authorization": f"Bearer {there['key']}"})


@described.parametrize()
@made_up
def test_a_program_without_one_does_as_well(case, server, there):
    check(case, server, {})


def aim(case, there):
    """Half of the time at something that is there: made-up names alone would all be unknown."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            for name in part.keys() & there.keys():
                if len(str(part[name])) % 2:
                    part[name] = there[name]
    # With the same few keys for all, most would be refused as used.
    if len(str(case.headers.get("Idempotency-Key", ""))) % 2:
        del case.headers["Idempotency-Key"]


def check(case, server, headers):
    answer = case.call(base_url=server.url, headers=headers)
    case.validate_response(answer, checks=CONFORMS)
    is_problem = answer.headers.get("content-type", [""])[0] == "application/problem+json"
    if is_problem and case.method != "HEAD":
        # The checks above let a 405 to another method pass, which no operation describes.
        told = case.operation.definition.raw["responses"].get(str(answer.status_code))
        assert told is not None or answer.status_code == 405
        assert told is None or f"`{answer.json()['code']}`" in told["description"]
