import json

import pytest

from django_partnerstack.sandbox import TEST_TRACKING_TOKEN

TRACKING = {"Authorization": f"Bearer {TEST_TRACKING_TOKEN}"}


@pytest.fixture
def control(sandbox):
    def send(method, path, body=None):
        sent = b"" if body is None else json.dumps(body).encode()
        reply = sandbox.handle(method, "/_control" + path, {}, sent)
        return reply.status, json.loads(reply.body)

    return send


def test_behaviour_is_shown_and_changed(sandbox, control):
    assert control("GET", "/behaviour")[1]["duplicates"] == "409"
    status, shown = control("PATCH", "/behaviour", {"duplicates": "200", "customer_paths": ["email"]})
    assert (status, shown["customer_paths"]) == (200, ["email"])
    assert sandbox.behaviour.duplicates == "200"


def test_faults_are_added_shown_and_cleared_and_do_not_affect_this_endpoint(sandbox, api, control):
    control("POST", "/faults", {"kind": "status", "status": 500, "times": 3})
    assert control("GET", "/faults")[1][0]["times"] == 3
    assert api("GET", "/groups")["status"] == 500
    control("DELETE", "/faults")
    assert api("GET", "/groups")["status"] == 200


def test_effects_are_shown_and_forgotten(api, control):
    api.customer()
    effect = {"mode": "test", "verb": "customers.create", "key": "c-1", "count": 1}
    assert control("GET", "/effects") == (200, [effect])
    control("DELETE", "/effects")
    assert control("GET", "/effects") == (200, [])


def test_objects_are_created_changed_shown_and_removed(control):
    _, created = control("POST", "/objects/customers", {"customer_key": "a/b", "name": "Ada"})
    assert control("PATCH", "/objects/customers/a%2Fb", {"name": "Grace"})[1]["name"] == "Grace"
    assert [row["key"] for row in control("GET", "/objects/customers?mode=test")[1]] == [created["key"]]
    assert control("GET", "/objects/customers?mode=production") == (200, [])
    control("DELETE", f"/objects/customers/{created['key']}")
    assert control("GET", "/objects/customers") == (200, [])


def test_archived_objects_are_shown_on_request(api, control):
    api.customer()
    api("DELETE", "/customers/c-1")
    assert control("GET", "/objects/customers") == (200, [])
    assert len(control("GET", "/objects/customers?include_archived=true")[1]) == 1


def test_clicks_are_added_and_shown(sandbox, control):
    status, click = control("POST", "/clicks", {"partner_key": "gstest", "sid1": "x"})
    assert (status, click["xid"], click["sub_ids"]) == (200, sandbox.clicks[0].xid, {"sid1": "x"})
    assert control("GET", "/clicks") == (200, [click])


def test_conversions_are_shown(sandbox, control):
    sandbox.handle("POST", "/conversion/xid", TRACKING, b'{"xid": "x", "customer_key": "c-1"}')
    assert control("GET", "/conversions")[1][0]["customer_key"] == "c-1"
    assert control("GET", "/conversions")[1][0]["created"] is False


def test_reset_removes_new_objects(api, control):
    api.customer()
    assert control("POST", "/reset") == (200, {})
    assert api.items("/customers") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/nonsense", None, 400, "There is no GET /_control/nonsense. Known: GET /_control/behaviour"),
        ("GET", "", None, 400, "There is no GET /_control"),
        ("PATCH", "/behaviour", {"duplicate": "200"}, 400, "There is no behaviour 'duplicate'"),
        ("PATCH", "/behaviour", {"duplicates": "no"}, 400, "duplicates must be one of"),
        ("PATCH", "/behaviour", [], 400, "The body must be a JSON object"),
        ("POST", "/faults", {"kind": "slow"}, 400, "There is no fault 'slow'"),
        ("POST", "/faults", {}, 400, "There is no fault ''"),
        ("POST", "/clicks", {"partner_key": "nobody"}, 404, "There is no partner 'nobody'"),
        ("POST", "/clicks", {}, 404, "There is no partner ''"),
        ("POST", "/clicks", {"partner_key": "gstest", "side": "x"}, 400, "Sub IDs are named sid"),
        ("POST", "/clicks", {"partner_key": "gstest", "destination": "x"}, 400, "dest must be a URL"),
        ("GET", "/objects/clients", None, 400, "There is no resource 'clients'"),
        ("GET", "/objects", None, 400, "The path must name a resource"),
        ("PATCH", "/objects/customers", {}, 400, "The path must name an object"),
        ("POST", "/objects/customers", {"phone": 1}, 400, "customers have no field 'phone'"),
        ("GET", "/objects/customers?mode=live", None, 400, "mode must be test or production"),
        ("DELETE", "/objects/customers/nobody", None, 404, "There is no customer 'nobody'"),
    ],
)
def test_a_wrong_request_is_answered_with_what_is_wrong(control, method, path, body, status, message):
    answered, answer = control(method, path, body)
    assert answered == status
    assert answer["message"].startswith(message)


def test_a_body_that_is_not_json_is_refused(sandbox):
    assert sandbox.handle("PATCH", "/_control/behaviour", {}, b"{").status == 400


def test_a_body_that_is_nested_too_deeply_is_refused(sandbox):
    assert sandbox.handle("POST", "/_control/objects/customers", {}, b"[" * 100_000).status == 400
