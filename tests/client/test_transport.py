"""Failures of a connection, over real sockets."""

import gzip
import ssl
import subprocess
import traceback
from time import monotonic

import pytest
import requests

from django_partnerstack.client import Client, RetryPolicy
from django_partnerstack.exceptions import NotSent, ReplyLost, UnusableReply
from django_partnerstack.sandbox import Sandbox
from django_partnerstack.testing.adapter import SandboxAdapter

from .conftest import PUBLIC, SECRET
from .servers import Server, reply, replying

GOOD = reply({"key": "cus_1"})


def create(client):
    """A write, which is sent once."""
    return client.customers.create(customer_key="acme", email="a@example.com", partner_key="john")


def open_client(server, **options):
    return Client(PUBLIC, SECRET, server.url, **options)


def test_a_request_has_the_headers_of_this_package():
    with Server(replying(GOOD)) as server, open_client(server) as client:
        create(client)
        head = server.requests[0].decode().lower()
    assert "user-agent: django-partnerstack/" in head
    assert "content-type: application/json" in head
    assert "accept: application/json" in head


def test_a_connection_is_reused_for_the_next_request():
    with Server(replying(GOOD, GOOD)) as server, open_client(server) as client:
        create(client)
        create(client)
        assert (len(server.requests), len(server.connections)) == (2, 1)


def test_cookies_are_not_kept():
    with (
        Server(replying(reply({"key": "a"}, Set_Cookie="id=5; Path=/"), GOOD)) as server,
        open_client(server) as client,
    ):
        create(client)
        create(client)
        assert b"cookie" not in server.requests[1].lower()


def test_a_redirect_is_not_followed():
    moved = reply(status="302 Found", Location="http://127.0.0.1:1/elsewhere")
    with (
        Server(replying(moved)) as server,
        open_client(server) as client,
        pytest.raises(UnusableReply, match="redirect"),
    ):
        create(client)


def test_a_redirect_to_an_invalid_url_is_in_doubt():
    moved = reply(status="302 Found", Location="http://[")
    with (
        Server(replying(moved)) as server,
        open_client(server) as client,
        pytest.raises(UnusableReply) as refused,
    ):
        create(client)
    assert refused.value.in_doubt


def test_a_request_to_a_refused_connection_was_not_sent():
    with Server(replying()) as server:
        client = open_client(server)
    with pytest.raises(NotSent, match="no connection") as caught:
        create(client)
    assert not caught.value.in_doubt


def test_a_request_to_an_unknown_host_was_not_sent():
    with pytest.raises(NotSent):
        create(Client(PUBLIC, SECRET, "https://partnerstack.invalid/api/v2"))


def reset(connection):
    connection.read_request()
    connection.reset()


def send_nothing(connection):
    connection.read_request()
    connection.server.stopping.wait(5)


def stop_in_the_body(connection):
    connection.read_request()
    connection.send(GOOD[:-5])


def stop_in_the_headers(connection):
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-")


def send_binary_data(connection):
    connection.read_request()
    connection.send(b"\x00\x01\x02 no HTTP\r\n\r\n")


def send_a_chunk_of_negative_length(connection):
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n")


@pytest.mark.parametrize(
    "handle",
    [
        reset,
        send_nothing,
        stop_in_the_body,
        stop_in_the_headers,
        send_binary_data,
        send_a_chunk_of_negative_length,
        replying(),
    ],
)
def test_a_request_without_a_complete_response_is_in_doubt(handle):
    with (
        Server(handle) as server,
        open_client(server, timeout=0.2) as client,
        pytest.raises((ReplyLost, UnusableReply)) as lost,
    ):
        create(client)
    assert lost.value.in_doubt


class TimeIsUp(BaseException):
    """What a signal handler or the time limit of a task can raise anywhere."""


def test_an_interruption_of_a_request_shows_no_keys():
    def interrupt(prepared, **options):
        raise TimeIsUp

    session = requests.Session()
    session.hooks["response"].append(interrupt)
    client = Client(PUBLIC, SECRET, "http://127.0.0.1", session=session)
    session.mount("http://127.0.0.1", SandboxAdapter(Sandbox()))
    with pytest.raises(TimeIsUp) as up:
        create(client)
    frames = [frame for frame, _ in traceback.walk_tb(up.tb)]
    assert frames[-1].f_code.co_name == "exchange"
    assert client._keys.secrets()[-1] not in repr([frame.f_locals for frame in frames[1:]])


def test_a_read_is_retried_after_a_lost_response(time):
    answers = iter([reset, stop_in_the_body, replying(GOOD)])
    with (
        Server(lambda connection: next(answers)(connection)) as server,
        open_client(server, retry_policy=time.retry_policy) as client,
    ):
        assert client.customers.get("acme").key == "cus_1"
        assert len(server.requests) == 3


def test_a_write_over_a_closed_connection_is_not_sent_twice():
    def close_on_the_second_request(connection):
        connection.read_request()
        connection.send(GOOD)
        connection.read_request()

    with Server(close_on_the_second_request) as server, open_client(server) as client:
        create(client)
        with pytest.raises(ReplyLost):
            create(client)
        assert len(server.requests) == 2


def slow_body(connection):
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    connection.drip(b" " * 100_000)


def slow_chunks(connection):
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.drip(b"1\r\n \r\n" * 100_000)


def slow_headers(connection):
    connection.read_request()
    connection.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Header: slow\r\n" * 100_000)


def stop_in_a_body_without_end(connection):
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    # More than half of the deadline, so that a whole time-out from here would end long after it.
    connection.server.stopping.wait(0.3)
    connection.send(b" ")
    connection.server.stopping.wait(5)


def test_a_response_that_stops_in_its_middle_ends_at_the_deadline():
    began = monotonic()
    with (
        Server(stop_in_a_body_without_end) as server,
        open_client(server, deadline=0.5) as client,
        pytest.raises(ReplyLost),
    ):
        create(client)
    assert monotonic() - began < 0.75


@pytest.mark.parametrize("handle", [slow_body, slow_chunks, slow_headers])
def test_a_slow_response_ends_at_the_deadline(handle):
    with Server(handle) as server, open_client(server, deadline=0.3) as client, pytest.raises(ReplyLost):
        create(client)


def test_the_connection_of_a_slow_response_is_not_reused():
    answers = iter([slow_body, replying(GOOD)])
    with (
        Server(lambda connection: next(answers)(connection)) as server,
        open_client(server, deadline=0.3) as client,
    ):
        with pytest.raises(ReplyLost):
            create(client)
        assert create(client).key == "cus_1"


def endless(connection):
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while not connection.server.stopping.is_set():
        connection.send(b" " * 65536)


def bomb(connection):
    connection.read_request()
    connection.send(reply(body=gzip.compress(b" " * 40_000_000), Content_Encoding="gzip"))


def endless_redirect(connection):
    connection.read_request()
    connection.send(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nConnection: close\r\n\r\n")
    while not connection.server.stopping.is_set():
        connection.send(b" " * 65536)


@pytest.mark.parametrize("handle", [endless, bomb, endless_redirect])
def test_a_response_that_is_too_large_is_unusable(handle):
    with (
        Server(handle) as server,
        open_client(server) as client,
        pytest.raises(UnusableReply, match="more than 1 MiB"),
    ):
        create(client)


@pytest.mark.parametrize("handle", [endless, bomb])
def test_a_list_that_is_too_large_is_unusable(handle):
    with (
        Server(handle) as server,
        open_client(server, retry_policy=RetryPolicy(attempts=1)) as client,
        pytest.raises(UnusableReply, match="more than 16 MiB"),
    ):
        client.customers.list()


@pytest.mark.parametrize(
    ("call", "limit"), [(create, 2**20), (lambda client: client.customers.get("acme"), 16 * 2**20)]
)
def test_a_response_of_exactly_the_limit_is_read(call, limit):
    good = b'{"data": {"key": "cus_1"}}'
    within, beyond = (reply(body=good + b" " * (limit + more - len(good))) for more in (0, 1))
    with Server(replying(within)) as server, open_client(server) as client:
        assert call(client).key == "cus_1"
    with (
        Server(replying(beyond)) as server,
        open_client(server, retry_policy=RetryPolicy(attempts=1)) as client,
        pytest.raises(UnusableReply, match="more than"),
    ):
        call(client)


def test_a_compressed_response_is_read():
    body = gzip.compress(b'{"data": {"key": "cus_1"}}')
    with Server(replying(reply(body=body, Content_Encoding="gzip"))) as server, open_client(server) as client:
        assert create(client).key == "cus_1"


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd"])
def test_an_encoding_that_was_not_requested_is_unusable(coding):
    answer = reply(body=b"x", Content_Encoding=coding)
    with Server(replying(answer)) as server, pytest.raises(UnusableReply, match="not asked for"):
        create(open_client(server))


def test_a_damaged_compressed_response_is_unusable():
    answer = reply(body=b"not gzip", Content_Encoding="gzip")
    with Server(replying(answer)) as server, pytest.raises(UnusableReply, match="damaged"):
        create(open_client(server))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for localhost that only a bundle of the environment trusts, and its key."""
    key, certificate = (tmp_path_factory.mktemp("tls") / name for name in ("key.pem", "certificate.pem"))
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names]
    try:
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return certificate, key


@pytest.fixture
def secure_server(certificate, monkeypatch):
    for name in (
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)

    def handle(connection):
        with context.wrap_socket(connection.sock, server_side=True) as sock:
            sock.recv(65536)
            sock.sendall(GOOD)

    with Server(handle) as server:
        server.secure_url = server.url.replace("http://127.0.0.1", "https://localhost")
        yield server


def test_an_untrusted_certificate_is_refused(secure_server):
    with pytest.raises(NotSent, match="certificate"):
        create(Client(PUBLIC, SECRET, secure_server.secure_url))


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_certificate_of_a_bundle_of_the_environment_is_trusted(
    secure_server, certificate, variable, monkeypatch
):
    monkeypatch.setenv(variable, str(certificate[0]))
    assert Client(PUBLIC, SECRET, secure_server.secure_url).customers.get("acme").key == "cus_1"
