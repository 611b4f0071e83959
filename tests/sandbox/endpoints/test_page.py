"""The page for people at ``/``: everything can be seen and changed without any other program."""

import json
import re
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from django_partnerstack.sandbox import PRODUCTION_KEYS, TEST_KEYS
from django_partnerstack.sandbox.behaviour.switch_texts import parsed, switches, written
from django_partnerstack.sandbox.behaviour.switches import Behaviour

HOST = {"Host": "127.0.0.1:8765"}


@pytest.fixture
def page(sandbox):
    """The text of the page."""

    def get(target="/"):
        reply = sandbox.handle("GET", target, HOST)
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
        return unescape(reply.body.decode())

    return get


@pytest.fixture
def submit(sandbox):
    """Submits a form; returns the error that the page shows next."""

    def post(headers=HOST, **form):
        reply = sandbox.handle("POST", "/?mode=test", headers, urlencode(form).encode())
        assert reply.status == 303
        return parse_qs(urlsplit(reply.headers["Location"]).query).get("error", [None])[0]

    return post


@pytest.mark.parametrize(
    ("mode", "keys", "others"),
    [("test", TEST_KEYS, PRODUCTION_KEYS), ("production", PRODUCTION_KEYS, TEST_KEYS)],
)
def test_it_shows_the_settings_of_the_mode_that_was_asked_for(page, mode, keys, others):
    text = page(f"/?mode={mode}")
    assert f'PARTNERSTACK_MODE = "{mode}"' in text
    assert 'PARTNERSTACK_API_URL = "http://127.0.0.1:8765/api/v2"' in text
    assert all(key in text for key in keys)
    assert not any(key in text for key in others)


def test_the_settings_are_python(page):
    block = re.search(r"<pre>(PARTNERSTACK_.*?)</pre>", page(), re.DOTALL).group(1)
    found: dict = {}
    exec(block, found)
    assert found["PARTNERSTACK_SECRET_KEY"] == TEST_KEYS[1]


def test_it_shows_what_the_sandbox_holds(sandbox, api, page):
    api.customer("c-1")
    api.transaction("inv_1")
    xid = sandbox.click("gstest", sid="mail")
    api.post("/webhooks", target_url="https://site.example/hook/", events=["lead.created"])
    text = page()
    for shown in (xid, "transactions.create", "inv_1", "https://site.example/hook/", "lead.created"):
        assert shown in text
    assert "<td>1</td>" in text
    assert '"customer_key": "c-1"' in page("/?resource=customers")


def test_it_shows_one_mode_at_a_time(live_api, page):
    live_api.customer("live-1", partner_key="sandboxpartner")
    assert "live-1" not in page()
    assert "live-1" in page("/?mode=production")


def test_every_switch_is_shown_with_its_value_and_meaning(sandbox, page):
    sandbox.behaviour.conversion_lag = (120, 360)
    text = page()
    for switch in switches():
        assert f"{switch.name}</code>" in text
        assert switch.description in text
        assert written(getattr(sandbox.behaviour, switch.name)) in text


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("duplicates", "200", "200"),
        ("unique_emails", "true", True),
        ("read_lag", "1.5", 1.5),
        ("requests_per_minute", "60", 60),
        ("conversion_lag", "120,360", (120, 360)),
        ("customer_paths", "external, email", ("external", "email")),
        ("custom_fields", "", ()),
    ],
)
def test_a_switch_is_set_with_a_form(sandbox, submit, name, text, value):
    assert submit(action="set_switch", name=name, value=text) is None
    assert getattr(sandbox.behaviour, name) == value


def test_the_text_of_each_default_sets_it_again():
    behaviour = Behaviour()
    behaviour.change(**{switch.name: parsed(switch.name, switch.default) for switch in switches()})
    assert behaviour == Behaviour()


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"action": "set_switch", "name": "duplicates", "value": "410"}, "duplicates must be one of"),
        ({"action": "set_switch", "name": "read_lag", "value": "soon"}, "read_lag must be a number"),
        ({"action": "set_switch", "name": "nothing"}, "There is no behaviour 'nothing'"),
        ({"action": "add_fault", "kind": "fire"}, "There is no fault 'fire'"),
        ({"action": "add_fault", "kind": "lost", "times": "x"}, "invalid literal"),
        ({"action": "click", "partner_key": "nobody"}, "There is no partner 'nobody'"),
        ({"action": "explode"}, "The form has no action"),
        ({}, "The form has no action"),
    ],
)
def test_a_wrong_form_shows_what_is_wrong(sandbox, submit, page, form, message):
    error = submit(**form)
    assert message in error
    assert error in page(f"/?{urlencode({'error': error})}")
    assert sandbox.behaviour == Behaviour()


def test_faults_clicks_and_effects_have_forms(sandbox, api, submit, page):
    api.customer()
    submit(action="add_fault", kind="status", status="500", times="1", path="/api/v2/groups")
    assert api("GET", "/groups")["status"] == 500
    submit(action="add_fault", kind="lost")
    assert "<td>lost</td>" in page()
    submit(action="clear_faults")
    submit(action="clear_effects")
    submit(action="click", partner_key="gstest")
    assert (sandbox.faults.active, len(sandbox.effects), len(sandbox.clicks)) == ([], 0, 1)
    submit(action="reset")
    assert sandbox.clicks == []


def test_another_site_cannot_send_its_forms(sandbox):
    headers = HOST | {"Origin": "https://evil.example"}
    reply = sandbox.handle("POST", "/", headers, b"action=set_switch&name=duplicates&value=200")
    assert reply.status == 403
    assert sandbox.behaviour.duplicates == "409"
    reply = sandbox.handle("POST", "/", HOST | {"Origin": "http://127.0.0.1:8765"}, b"action=reset")
    assert reply.status == 303


def test_content_of_clients_is_never_html(sandbox, api):
    evil = "<script>alert(1)</script>"
    api.customer(evil, email="a@site.example")
    sandbox.create("partnerships", partner_key=f"{evil}'\"")
    sandbox.click(f"{evil}'\"")
    headers = {"Host": f"{evil}"}
    for target in ("/", "/?resource=customers", f"/?error={evil}"):
        assert b"<script" not in sandbox.handle("GET", target, headers).body


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_other_methods_are_refused(sandbox, method):
    assert sandbox.handle(method, "/", HOST).status == 405


def test_an_unknown_mode_is_refused(sandbox):
    assert sandbox.handle("GET", "/?mode=live", HOST).status == 400


def test_it_is_not_affected_by_faults_and_needs_no_keys(sandbox, page):
    sandbox.faults.add("status", status=500)
    assert "PartnerStack sandbox" in page()
    assert json.loads(sandbox.handle("GET", "/api/v2/groups", {}).body)["status"] == 500
