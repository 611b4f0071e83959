import pytest
import requests

from django_partnerstack.sandbox import TEST_KEYS
from django_partnerstack.testing import SandboxAdapter

URL = "https://api.partnerstack.com/api/v2"
BODY = {"customer_key": "a/b c", "email": "a@site.example", "partner_key": "gstest"}


@pytest.fixture
def waits():
    """Seconds that the adapter waited."""
    return []


@pytest.fixture
def session(sandbox, waits):
    with requests.Session() as session:
        session.trust_env = False
        session.auth = TEST_KEYS
        session.mount("https://api.partnerstack.com/", SandboxAdapter(sandbox, sleep=waits.append))
        yield session


def test_a_session_gets_the_responses_of_the_sandbox(sandbox, session):
    created = session.post(f"{URL}/customers", json=BODY)
    assert created.json()["data"]["customer_key"] == "a/b c"
    assert session.get(f"{URL}/customers/a%2Fb%20c").status_code == 200
    assert session.get(f"{URL}/customers", params={"limit": 1}).json()["data"]["has_more"] is False
    assert sandbox.effects["test", "customers.create", "a/b c"] == 1


def test_sent_requests_are_listed(session):
    session.get(f"{URL}/groups")
    (request,) = session.get_adapter(URL).requests
    assert (request.method, request.path_url) == ("GET", "/api/v2/groups")


def test_a_lost_response_is_a_read_timeout_after_the_effect(sandbox, session):
    sandbox.faults.add("lost")
    with pytest.raises(requests.ReadTimeout):
        session.post(f"{URL}/customers", json=BODY)
    assert sandbox.effects.total() == 1


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_reset_is_a_connection_error(sandbox, session, after_effect):
    sandbox.faults.add("reset", after_effect=after_effect)
    with pytest.raises(requests.ConnectionError):
        session.post(f"{URL}/customers", json=BODY)
    assert sandbox.effects.total() == after_effect


def test_a_truncated_body_is_an_error(sandbox, session):
    sandbox.faults.add("truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(f"{URL}/groups")


def test_a_body_can_be_read_as_a_stream(sandbox, session):
    sandbox.faults.add("oversized", size=10_000)
    with session.get(f"{URL}/groups", stream=True) as response:
        assert sum(len(part) for part in response.iter_content(1000)) > 10_000


def test_latency_is_waited_for_up_to_the_read_timeout(sandbox, session, waits):
    sandbox.faults.add("latency", seconds=5)
    assert session.get(f"{URL}/groups", timeout=(1, 6)).status_code == 200
    with pytest.raises(requests.ReadTimeout):
        session.get(f"{URL}/groups", timeout=(1, 4))
    assert waits == [5]


def test_a_dripping_body_takes_the_time_of_all_its_pieces(sandbox, session, waits):
    sandbox.faults.add("drip", seconds=1)
    response = session.get(f"{URL}/groups", timeout=2)
    assert waits == [len(response.content) / 64]


def test_other_faults_are_responses(sandbox, session):
    sandbox.faults.add("html", times=1)
    sandbox.faults.add("status", status=429, retry_after=3)
    assert "<html>" in session.get(f"{URL}/groups").text
    assert session.get(f"{URL}/groups").headers["Retry-After"] == "3"
