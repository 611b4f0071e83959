"""What the doctor says about TLS and proxies, with real certificates and a real proxy."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from django_partnerstack.insight.doctor import Item
from django_partnerstack.sandbox import Sandbox
from tests.client.servers import Connection, Server, reply
from tests.insight.doctor.conftest import SECRET, register

Items = Callable[[], dict[str, Item]]

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    # Addresses elsewhere, by way of a proxy on this machine.
    settings.PARTNERSTACK_TEST_NETWORK = "allowed"
    for name in (*PROXIES, *map(str.upper, PROXIES), *BUNDLES):
        monkeypatch.delenv(name, raising=False)


Certificate = Callable[[int], Path]


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """Makes a file with a certificate for localhost that is valid for some days, and its key."""

    def make(days: int) -> Path:
        path = tmp_path / "certificate.pem"
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ]
        command += ["-days", str(days), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        try:
            subprocess.run([*command, "-keyout", path, "-out", path], check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("openssl is not installed")
        return path

    return make


@pytest.fixture
def secure(healthy: Sandbox, settings: Any) -> Iterator[Callable[[Path], None]]:
    """Puts a server with a certificate in front of the sandbox."""
    servers = []

    def serve(path: Path) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)

        def handle(connection: Connection) -> None:
            with context.wrap_socket(connection.sock, server_side=True) as sock:
                head, headers = sock.recv(65536).decode().split("\r\n", 1)
                method, target, _ = head.split()
                given = dict(line.split(": ", 1) for line in headers.split("\r\n") if ": " in line)
                answer = healthy.handle(method, target, given, b"")
                lines = [
                    f"HTTP/1.1 {answer.status} X",
                    f"Content-Length: {len(answer.body)}",
                    "Connection: close",
                ]
                lines += [f"{name}: {value}" for name, value in answer.headers.items()]
                sock.sendall("\r\n".join([*lines, "", ""]).encode() + answer.body)

        server = Server(handle)
        servers.append(server)
        server.__enter__()
        settings.PARTNERSTACK_API_URL = (
            server.url.replace("http://127.0.0.1", "https://localhost") + "/api/v2"
        )

    yield serve
    for server in servers:
        server.__exit__()


def codes(items: dict[str, Item]) -> list[str]:
    return [finding.code for item in items.values() for finding in item.findings]


def test_the_version_of_tls_and_the_days_of_the_certificate_are_shown(
    secure: Callable[[Path], None], certificate: Certificate, items: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(60)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    secure(path)
    found = items()
    assert codes(found) == []
    assert "TLSv1.3; the certificate is valid for 59 days." in found["Connection"].text


def test_a_certificate_that_expires_soon(
    secure: Callable[[Path], None], certificate: Certificate, items: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(3)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    secure(path)
    [finding] = items()["Connection"].findings
    assert finding.sentence == "The certificate of localhost expires in 2 days."


def test_a_certificate_that_nobody_trusts(
    secure: Callable[[Path], None], certificate: Certificate, items: Items
) -> None:
    secure(certificate(60))
    found = items()
    assert codes(found) == ["certificate-untrusted"]
    assert (
        found["Connection"].findings[0].sentence.startswith("The certificate of localhost is not trusted: ")
    )


def test_a_proxy_is_named_without_its_password(
    healthy: Sandbox, items: Items, settings: Any, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    settings.PARTNERSTACK_API_URL = "https://api.partnerstack.invalid/api/v2"
    monkeypatch.setenv("https_proxy", f"http://me:hidden@127.0.0.1:{free_port}")
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy")
    found = items()
    assert codes(found) == ["partnerstack-unreachable"]
    assert f"through the proxy http://127.0.0.1:{free_port}." in found["Connection"].text
    shown = str([item.as_dict() for item in found.values()])
    assert "hidden" not in shown


def test_without_a_proxy_it_says_so(healthy: Sandbox, items: Items) -> None:
    assert "without a proxy" in items()["Connection"].text


def test_webhooks_without_encryption_over_a_network(
    healthy: Sandbox, items: Items, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]
    register(healthy, f"http://shop.example/partnerstack/webhooks/{SECRET}/")
    asked: list[bytes] = []

    def site(connection: Connection) -> None:
        """The site as the proxy of this machine reaches it."""
        asked.append(connection.read_request())
        status = "405 Method Not Allowed" if asked[-1].startswith(b"GET") else "404 Not Found"
        connection.send(reply(body=b"", status=status))

    with Server(site) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        found = items()
    assert codes(found) == ["webhooks-insecure"]
    assert SECRET not in found["Webhook URL"].findings[0].sentence
    get, post = sorted(asked)
    assert get.startswith(f"GET http://shop.example/partnerstack/webhooks/{SECRET}/ ".encode())
    assert SECRET.encode() not in post
