import pytest

BODY = {"customer_key": "c-1", "email": "a@site.example", "partner_key": "gstest"}


def statuses(api, number=1, path="/groups"):
    found = []
    for _ in range(number):
        api("GET", path)
        found.append(api.status)
    return found


def test_an_error_on_demand_has_no_effect(sandbox, api):
    sandbox.faults.add("status", status=503)
    assert api("POST", "/customers", BODY)["status"] == 503
    assert not sandbox.effects


def test_an_error_can_come_after_the_effect(sandbox, api):
    sandbox.faults.add("status", status=502, after_effect=True)
    assert api("POST", "/customers", BODY)["status"] == 502
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


def test_a_fault_happens_the_given_number_of_times(sandbox, api):
    sandbox.faults.add("status", status=500, times=2)
    assert statuses(api, 3) == [500, 500, 200]


def test_a_fault_applies_to_its_method_and_path_only(sandbox, api):
    sandbox.faults.add("status", method="POST", path="/api/v2/customers")
    assert statuses(api, path="/customers") == [200]
    assert api("POST", "/partnerships", {"email": "a@partner.example"})["status"] == 200
    assert api("POST", "/customers", BODY)["status"] == 503


def test_a_rate_fails_the_same_share_of_requests_each_time(sandbox, api):
    sandbox.faults.add("status", rate=0.3)
    first = statuses(api, 100)
    assert 15 < first.count(503) < 45
    sandbox.faults.clear()
    sandbox.faults.add("status", rate=0.3)
    assert statuses(api, 100) == first


@pytest.mark.parametrize(
    ("form", "header"), [("seconds", "7"), ("date", "Fri, 15 Jan 2027 08:00:07 GMT"), ("off", None)]
)
def test_retry_after_has_the_selected_form(sandbox, api, form, header):
    sandbox.behaviour.retry_after = form
    sandbox.faults.add("status", status=429, retry_after=7)
    assert statuses(api) == [429]
    assert api.reply.headers.get("Retry-After") == header


def test_429_without_retry_after(sandbox, api):
    sandbox.faults.add("status", status=429)
    assert statuses(api) == [429]
    assert "Retry-After" not in api.reply.headers


def test_an_empty_response_prevents_the_effect(sandbox, api):
    sandbox.faults.add("empty")
    api("POST", "/customers", BODY)
    assert (api.status, api.reply.body) == (200, b"")
    assert not sandbox.effects


def test_an_html_page_replaces_the_json(sandbox, api):
    sandbox.faults.add("html")
    reply = sandbox.handle("GET", "/api/v2/groups", api.headers, b"")
    assert (reply.status, reply.headers["Content-Type"]) == (502, "text/html")
    assert b"<html>" in reply.body


def test_an_oversized_body_is_still_json(sandbox, api):
    sandbox.faults.add("oversized", size=1000)
    assert api("GET", "/groups")["status"] == 200
    assert len(api.reply.body) > 1000


def test_a_lost_response_comes_after_the_effect(sandbox, api):
    sandbox.faults.add("lost")
    api("POST", "/customers", BODY)
    assert api.reply.fault.kind == "lost"
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


def test_latency_adds_to_another_fault_and_holds_no_lock(sandbox, api):
    sandbox.faults.add("latency", seconds=2)
    sandbox.faults.add("latency", seconds=1)
    sandbox.faults.add("status", status=500)
    assert statuses(api) == [500]
    assert api.reply.delay == 3


def test_unknown_names_are_errors(sandbox):
    with pytest.raises(ValueError, match=r"There is no fault 'slow'. Known: latency"):
        sandbox.faults.add("slow")
    with pytest.raises(ValueError, match=r"A fault has no 'chance'. Known: kind"):
        sandbox.faults.add("lost", chance=1)
    with pytest.raises(ValueError, match="rate must be from 0 to 1"):
        sandbox.faults.add("lost", rate=30)
