"""Documented: docs.partnerstack.com/docs/getting-integrated-with-s2s; seen: URLs of real landing pages."""

import re
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests

from django_partnerstack.sandbox import Sandbox
from django_partnerstack.testing import SandboxAdapter

HOST = {"Host": "get.vendor.example:8765"}


@pytest.fixture
def follow(sandbox):
    """Clicks on a link; returns the URL that it leads to."""

    def follow(partner_key="gstest", headers=HOST, **query):
        target = f"/l/{partner_key}" + ("?" + urlencode(query) if query else "")
        reply = sandbox.handle("GET", target, headers)
        assert (reply.status, reply.body) == (302, b"")
        return reply.headers["Location"]

    return follow


def status(sandbox, target, method="GET"):
    return sandbox.handle(method, target, HOST).status


def test_a_link_leads_to_the_vendors_page_with_the_click(sandbox, follow):
    parts = urlsplit(follow())
    (click,) = sandbox.clicks
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "http://127.0.0.1:8000/"
    assert parse_qsl(parts.query) == [
        ("pscd", "get.vendor.example"),
        ("ps_partner_key", "Z3N0ZXN0"),
        ("ps_xid", click.xid),
        ("gsxid", click.xid),
        ("gspk", "Z3N0ZXN0"),
    ]


def test_a_click_id_is_14_letters_and_digits_and_another_each_time(sandbox, follow):
    for _ in range(100):
        follow()
    ids = {click.xid for click in sandbox.clicks}
    assert len(ids) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9]{14}", xid) for xid in ids)


def test_the_partner_key_has_no_padding(sandbox, follow):
    sandbox.create("partnerships", partner_key="troycooper1364")
    assert "ps_partner_key=dHJveWNvb3BlcjEzNjQ&" in follow("troycooper1364")


def test_a_partner_key_may_have_to_be_encoded(sandbox, follow):
    sandbox.create("partnerships", partner_key="zoë/~ÿ")
    follow("zo%C3%AB%2F~%C3%BF")
    assert sandbox.clicks[0].partner_key == "zoë/~ÿ"


def test_the_page_keeps_its_own_parameters_before_those_of_the_link(follow):
    address = follow(dest="http://127.0.0.1:8000/pricing/?plan=a%20b&empty=#yearly")
    assert address.startswith("http://127.0.0.1:8000/pricing/?plan=a%20b&empty=&pscd=get.vendor.example&ps_")
    assert address.endswith("#yearly")


def test_parameters_of_the_link_come_before_the_click_id(sandbox, follow):
    address = follow(sid1="newsletter", gclid="x")
    assert "&sid1=newsletter&gclid=x&ps_xid=" in address
    assert sandbox.clicks[0].sub_ids == {"sid1": "newsletter"}


def test_neither_page_nor_link_can_set_the_parameters_of_the_click(sandbox, follow):
    address = follow(dest="http://127.0.0.1:8000/?ps_xid=old", ps_xid="forged", gspk="forged")
    assert parse_qs(urlsplit(address).query)["ps_xid"] == [sandbox.clicks[0].xid]
    assert "forged" not in address


def test_without_a_host_header_there_is_no_pscd(follow):
    for headers in ({}, {"Host": "[broken"}):
        assert "pscd" not in follow(headers=headers)


def test_a_link_can_add_utm_parameters(sandbox, follow):
    assert "utm_" not in follow()
    sandbox.behaviour.link_utm = True
    assert "?utm_campaign=gstest&utm_medium=partnerships&utm_source=partnerstack&pscd=" in follow()


def test_a_click_is_recorded(sandbox, follow, clock):
    follow(dest="http://localhost:8000/a/", sid1="x", sid="y")
    (click,) = sandbox.clicks
    assert (click.mode, click.partner_key, click.created_at) == ("test", "gstest", int(clock.now * 1000))
    assert click.partnership_key == sandbox.objects("partnerships")[-1]["key"]
    assert (click.destination, click.sub_ids) == ("http://localhost:8000/a/", {"sid1": "x", "sid": "y"})


def test_the_partner_decides_the_mode(sandbox, follow):
    follow("gstest")
    follow("sandboxpartner")
    assert [click.mode for click in sandbox.clicks] == ["test", "production"]


@pytest.mark.parametrize("path", ["/l/nobody", "/l/", "/l/%2F"])
def test_an_unknown_partner_is_404(sandbox, path):
    assert status(sandbox, path) == 404
    assert not sandbox.clicks


def test_an_archived_partner_has_no_link(sandbox):
    sandbox.change("partnerships", "gstest", archived=True)
    assert status(sandbox, "/l/gstest") == 404


@pytest.mark.parametrize(
    "destination",
    [
        "http://evil.example/",
        "//evil.example/",
        "/signup/",
        "javascript:alert(1)",
        "ftp://127.0.0.1/",
        "http://127.0.0.1@evil.example/",
        "http://evil.example\\@127.0.0.1/",
        "http:\\\\evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1:port/",
        "http://[broken/",
        "http://127.0.0.1/\r\nSet-Cookie: a=b",
        "http://",
    ],
)
def test_a_link_leads_to_no_other_site(sandbox, destination):
    assert status(sandbox, "/l/gstest?" + urlencode({"dest": destination})) == 400
    assert not sandbox.clicks


@pytest.mark.parametrize(
    "destination", ["http://localhost/", "https://site.localhost/", "http://127.9.9.9/", "http://[::1]:8000/"]
)
def test_a_link_leads_to_any_page_of_this_machine(follow, destination):
    assert follow(dest=destination).startswith(destination)


def test_a_link_leads_to_the_given_sites(clock):
    sandbox = Sandbox(clock=clock, site="https://shop.example/", sites=["Staging.example"])
    assert sandbox.handle("GET", "/l/gstest", {}).headers["Location"].startswith("https://shop.example/?ps_")
    for host, expected in {"staging.example": 302, "shop.example": 302, "other.example": 400}.items():
        assert status(sandbox, f"/l/gstest?dest=https://{host}/") == expected


@pytest.mark.parametrize("wrong", [{"site": "shop.example"}, {"sites": ["https://shop.example/"]}])
def test_an_invalid_site_is_an_error(wrong):
    with pytest.raises(ValueError, match="must be"):
        Sandbox(**wrong)


def test_the_location_is_ascii(follow):
    assert "/caf%C3%A9/?" in follow(dest="http://127.0.0.1:8000/café/")


def test_other_methods_are_refused_with_the_allowed_methods(sandbox):
    for method in ("POST", "OPTIONS", "DELETE"):
        reply = sandbox.handle(method, "/l/gstest", HOST)
        assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")
    assert not sandbox.clicks


def test_head_is_a_click_and_keeps_the_connection_alive(sandbox):
    with (
        sandbox.serve() as server,
        closing(HTTPConnection(urlsplit(server.url).netloc, timeout=10)) as connection,
    ):
        for method, target in (("HEAD", "/l/gstest"), ("HEAD", "/l/nobody"), ("OPTIONS", "/l/gstest")):
            connection.request(method, target)
            response = connection.getresponse()
            response.read()
    assert response.status == 405
    assert len(sandbox.clicks) == 1


def test_a_lost_response_comes_after_the_click(sandbox):
    sandbox.faults.add("lost", path="/l/")
    assert sandbox.handle("GET", "/l/gstest", HOST).fault.kind == "lost"
    assert len(sandbox.clicks) == 1


def test_a_prevented_request_is_not_a_click(sandbox):
    sandbox.faults.add("status", status=503, path="/l/")
    assert status(sandbox, "/l/gstest") == 503
    assert not sandbox.clicks


def test_over_http_the_host_of_the_link_is_that_of_the_server(sandbox):
    with (
        sandbox.serve() as server,
        closing(HTTPConnection(urlsplit(server.url).netloc, timeout=10)) as connection,
    ):
        connection.request("GET", "/l/gstest")
        response = connection.getresponse()
        assert response.status == 302
        assert "?pscd=127.0.0.1&ps_" in response.headers["Location"]


def test_in_a_session_the_host_of_the_link_is_that_of_the_address(sandbox):
    with requests.Session() as session:
        session.mount("https://get.vendor.example/", SandboxAdapter(sandbox))
        response = session.get("https://get.vendor.example/l/gstest", allow_redirects=False)
    assert "?pscd=get.vendor.example&ps_" in response.headers["Location"]


def test_a_click_can_be_simulated_without_http(sandbox):
    xid = sandbox.click("gstest", "http://127.0.0.1:8000/a/", sid1="x")
    (click,) = sandbox.clicks
    assert (click.xid, click.destination, click.sub_ids) == (xid, "http://127.0.0.1:8000/a/", {"sid1": "x"})


def test_an_invalid_click_is_an_error(sandbox):
    with pytest.raises(LookupError, match="There is no partner 'nobody'"):
        sandbox.click("nobody")
    with pytest.raises(ValueError, match="dest must be on this machine"):
        sandbox.click("gstest", "http://evil.example/")
    with pytest.raises(ValueError, match="Sub IDs are named sid, sid1, sid2, and so on, not 'side1'"):
        sandbox.click("gstest", side1="x")


def test_the_same_clicks_have_the_same_ids(clock):
    first, second = Sandbox(clock=clock), Sandbox(clock=clock)
    assert [first.click("gstest") for _ in range(3)] == [second.click("gstest") for _ in range(3)]
    first.reset()
    assert first.clicks == []
