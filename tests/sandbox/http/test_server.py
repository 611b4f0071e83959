import json
import socket
from contextlib import closing
from http.client import HTTPConnection, RemoteDisconnected
from threading import Thread
from urllib.parse import urlsplit

import pytest

from django_partnerstack.sandbox import Sandbox

from ..api_client import ApiClient

BODY = {"customer_key": "c-1", "email": "a@site.example", "partner_key": "gstest"}


@pytest.fixture
def server(sandbox):
    with sandbox.serve() as server:
        yield server


@pytest.fixture
def connection(server):
    with closing(HTTPConnection(urlsplit(server.url).netloc, timeout=10)) as connection:
        yield connection


def send(connection, headers, method="GET", path="/api/v2/groups", body=None):
    connection.request(method, path, json.dumps(body) if body else None, headers)
    response = connection.getresponse()
    return response.status, response.read()


def test_it_answers_over_http_as_in_process(sandbox, api, connection):
    status, body = send(connection, api.headers)
    assert status == 200
    assert body == sandbox.handle("GET", "/api/v2/groups", api.headers, b"").body


def test_a_connection_is_kept_alive(api, connection):
    send(connection, api.headers)
    port = connection.sock.getsockname()
    send(connection, api.headers, "POST", "/api/v2/customers", BODY)
    assert connection.sock.getsockname() == port


def test_the_old_api_and_the_control_endpoint_are_served_too(api, connection):
    assert send(connection, api.headers, path="/v1/partnerships/gstest")[0] == 200
    assert send(connection, {}, path="/_control/effects") == (200, b"[]")


def test_a_request_cut_short_has_no_effect(sandbox, server, api):
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as client:
        head = f"POST /api/v2/customers HTTP/1.1\r\nAuthorization: {api.headers['Authorization']}\r\n"
        client.sendall(f"{head}Content-Length: 1000\r\n\r\n{json.dumps(BODY)}".encode())
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert not sandbox.effects


@pytest.mark.parametrize(
    ("header", "status"),
    [("Content-Length: 99999999", 413), ("Content-Length: many", 411), ("Transfer-Encoding: chunked", 411)],
)
def test_a_body_that_is_too_long_or_of_unknown_length_is_refused(server, header, status):
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as client:
        client.sendall(f"POST /api/v2/customers HTTP/1.1\r\n{header}\r\n\r\n".encode())
        assert client.recv(12) == f"HTTP/1.1 {status}".encode()


def test_a_lost_reply_closes_the_connection_after_the_effect(sandbox, api, connection):
    sandbox.faults.add("lost", times=1)
    with pytest.raises(RemoteDisconnected):
        send(connection, api.headers, "POST", "/api/v2/customers", BODY)
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_connection_is_reset_before_or_after_the_effect(sandbox, api, connection, after_effect):
    sandbox.faults.add("reset", times=1, after_effect=after_effect)
    with pytest.raises(ConnectionResetError):
        send(connection, api.headers, "POST", "/api/v2/customers", BODY)
    assert sandbox.effects.total() == after_effect


def test_a_body_is_cut_short(sandbox, api, connection):
    sandbox.faults.add("truncated")
    connection.request("GET", "/api/v2/groups", headers=api.headers)
    response = connection.getresponse()
    promised = int(response.headers["Content-Length"])
    assert len(response.peek(promised)) < promised


def test_a_body_drips(sandbox, api, connection):
    sandbox.faults.add("drip", seconds=0.001)
    assert json.loads(send(connection, api.headers)[1])["status"] == 200


def test_a_slow_response_does_not_delay_other_clients(sandbox, server, api):
    sandbox.faults.add("latency", seconds=60, path="/api/v2/customers")
    address = urlsplit(server.url)
    with closing(HTTPConnection(address.netloc, timeout=10)) as late:
        late.request("GET", "/api/v2/customers", headers=api.headers)
        with closing(HTTPConnection(address.netloc, timeout=10)) as other:
            assert send(other, api.headers)[0] == 200


def test_requests_of_eight_concurrent_clients_take_effect_once_each(sandbox, server, api):
    api.customer()
    netloc = urlsplit(server.url).netloc

    def work(number):
        with closing(HTTPConnection(netloc, timeout=30)) as connection:
            for count in range(25):
                body = {
                    "customer_external_key": "c-1",
                    "amount": 1,
                    "currency": "USD",
                    "key": f"t-{number}-{count}",
                }
                send(connection, api.headers, "POST", "/api/v2/transactions", body)

    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = [count for (_, name, _), count in sandbox.effects.items() if name == "transactions.create"]
    assert counts == [1] * 200


def test_a_port_in_use_is_an_error(server):
    with pytest.raises(OSError, match="in use"):
        Sandbox().serve(port=urlsplit(server.url).port)


def test_leaving_the_block_closes_the_connections(clock):
    sandbox = Sandbox(clock=clock)
    with sandbox.serve() as server:
        connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        assert send(connection, ApiClient(sandbox).headers)[0] == 200
    assert connection.sock.recv(1) == b""
    connection.close()
