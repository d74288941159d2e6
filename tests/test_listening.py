"""Addresses to listen on: IPv4, IPv6 and names, from a variable or an option."""

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured

from tests.server_process import Server
from web import listening

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("0.0.0.0", "0.0.0.0"), ("::", "::"), ("[::]", "::"), ("::1", "::1"), ("[0:0::1]", "::1"),
     ("localhost", "127.0.0.1"), ("LOCALHOST", "127.0.0.1"), ("192.0.2.7", "192.0.2.7")],
)  # fmt: skip
def test_an_address_may_be_written_as_ipv4_as_ipv6_and_as_a_name(written, meant):
    assert listening.resolve(written) == meant


@pytest.mark.parametrize(
    "written",
    ["*", "", "8080", "0", "127.1", ":8080", "localhost:8080", "[::1]:80", "[127.0.0.1]", "fe80::1%lo",
     "http://localhost", "a b", "unix:/tmp/x", "no-such-name.invalid", "x" * 300, "256.1.1.1"],
)  # fmt: skip
def test_what_is_no_address_of_a_machine_is_refused_by_name(written):
    with pytest.raises(ImproperlyConfigured, match=r"LISTEN \(or --host\) must be"):
        listening.resolve(written)


@pytest.mark.parametrize(
    ("listen", "reached", "not_reached"),
    [("::", ["127.0.0.1", "[::1]"], []), ("[::1]", ["[::1]"], ["127.0.0.1"]),
     ("localhost", ["127.0.0.1"], ["[::1]"]), (" ", ["127.0.0.1"], ["[::1]"])],
)  # fmt: skip
def test_a_server_listens_where_the_variable_says(listen, reached, not_reached, opentok):
    with_variable = Server(
        OPENTOK_API_URL=opentok.url, LISTEN=listen, command=("-m", "config.server")
    )
    with_variable.url = f"http://{reached[-1]}:{with_variable.port}"
    with with_variable as server:
        for host in reached:
            assert (
                requests.get(f"http://{host}:{server.port}/room/x", timeout=30).status_code == 200
            )
        for host in not_reached:
            with pytest.raises(requests.ConnectionError):
                requests.get(f"http://{host}:{server.port}/", timeout=30)


def test_a_client_that_comes_to_an_ipv6_server_by_ipv4_counts_by_its_own_address(opentok):
    variables = {"LISTEN": "::", "RATE_LIMITS": "join=1/minute", "WEB_CONCURRENCY": "1"}
    command = ("-m", "config.server")
    with Server(OPENTOK_API_URL=opentok.url, command=command, **variables) as server:
        statuses = [
            requests.get(f"http://{host}:{server.port}/room/x", timeout=30).status_code
            for host in ("127.0.0.1", "127.0.0.1", "[::1]", "[::1]")
        ]
    assert statuses == [200, 429, 200, 429]
