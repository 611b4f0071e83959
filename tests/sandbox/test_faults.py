import pytest

BODY = {"customer_key": "c-1", "email": "a@site.example", "partner_key": "gstest"}


def statuses(ask, number=1, path="/groups"):
    found = []
    for _ in range(number):
        ask("GET", path)
        found.append(ask.status)
    return found


def test_an_error_on_demand_has_no_effect(sandbox, ask):
    sandbox.faults.add("status", status=503)
    assert ask("POST", "/customers", BODY)["status"] == 503
    assert not sandbox.effects


def test_an_error_can_come_after_the_effect(sandbox, ask):
    sandbox.faults.add("status", status=502, after_effect=True)
    assert ask("POST", "/customers", BODY)["status"] == 502
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


def test_a_fault_happens_as_often_as_asked(sandbox, ask):
    sandbox.faults.add("status", status=500, times=2)
    assert statuses(ask, 3) == [500, 500, 200]


def test_a_fault_befalls_the_method_and_path_asked_for(sandbox, ask):
    sandbox.faults.add("status", method="POST", path="/api/v2/customers")
    assert statuses(ask, path="/customers") == [200]
    assert ask("POST", "/partnerships", {"email": "a@partner.example"})["status"] == 200
    assert ask("POST", "/customers", BODY)["status"] == 503


def test_a_share_of_requests_fails_and_the_same_ones_each_time(sandbox, ask):
    sandbox.faults.add("status", rate=0.3)
    first = statuses(ask, 100)
    assert 15 < first.count(503) < 45
    sandbox.faults.clear()
    sandbox.faults.add("status", rate=0.3)
    assert statuses(ask, 100) == first


@pytest.mark.parametrize(
    ("form", "header"), [("seconds", "7"), ("date", "Fri, 15 Jan 2027 08:00:07 GMT"), ("off", None)]
)
def test_429_says_when_to_come_back_or_not(sandbox, ask, form, header):
    sandbox.behaviour.retry_after = form
    sandbox.faults.add("status", status=429, retry_after=7)
    assert statuses(ask) == [429]
    assert ask.reply.headers.get("Retry-After") == header


def test_429_without_a_hint(sandbox, ask):
    sandbox.faults.add("status", status=429)
    assert statuses(ask) == [429]
    assert "Retry-After" not in ask.reply.headers


def test_200_with_an_empty_body(sandbox, ask):
    sandbox.faults.add("empty")
    ask("POST", "/customers", BODY)
    assert (ask.status, ask.reply.body) == (200, b"")
    assert not sandbox.effects


def test_a_proxys_page(sandbox, ask):
    sandbox.faults.add("html")
    reply = sandbox.handle("GET", "/api/v2/groups", ask.headers, b"")
    assert (reply.status, reply.headers["Content-Type"]) == (502, "text/html")
    assert b"<html>" in reply.body


def test_an_oversized_body_is_still_json(sandbox, ask):
    sandbox.faults.add("oversized", size=1000)
    assert ask("GET", "/groups")["status"] == 200
    assert len(ask.reply.body) > 1000


def test_a_lost_reply_was_an_effect_all_the_same(sandbox, ask):
    sandbox.faults.add("lost")
    ask("POST", "/customers", BODY)
    assert ask.reply.fault.kind == "lost"
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


def test_latency_adds_to_another_fault_and_holds_no_lock(sandbox, ask):
    sandbox.faults.add("latency", seconds=2)
    sandbox.faults.add("latency", seconds=1)
    sandbox.faults.add("status", status=500)
    assert statuses(ask) == [500]
    assert ask.reply.delay == 3


def test_wrong_names_are_refused(sandbox):
    with pytest.raises(ValueError, match=r"There is no fault 'slow'. Known: latency"):
        sandbox.faults.add("slow")
    with pytest.raises(ValueError, match=r"A fault has no 'chance'. Known: kind"):
        sandbox.faults.add("lost", chance=1)
    with pytest.raises(ValueError, match="rate must be from 0 to 1"):
        sandbox.faults.add("lost", rate=30)
