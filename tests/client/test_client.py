import copy
import pickle
import threading
import traceback

import pytest
import requests

from django_partnerstack.client import Client
from django_partnerstack.exceptions import AuthenticationFailed, InvalidArgument, NotSent, PartnerStackError

from .conftest import API, PUBLIC, SECRET, TOKEN, envelope
from .servers import Server, answering, reply


def test_a_client_shows_its_url_and_a_part_of_the_public_key():
    assert repr(Client(PUBLIC, SECRET)) == f"<Client {API} pk_…1234>"


@pytest.mark.parametrize("store", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_cannot_be_stored(store):
    with pytest.raises(TypeError, match="holds keys"):
        store(Client(PUBLIC, SECRET))


@pytest.mark.parametrize(
    "given", [{"timeout": 0}, {"timeout": (5, None)}, {"deadline": -1}, {"api_url": "http://a.b/"}]
)
def test_a_client_with_a_wrong_argument_is_not_made(given):
    with pytest.raises(InvalidArgument, match=next(iter(given))):
        Client(PUBLIC, SECRET, **given)


@pytest.mark.parametrize("keys", [("", SECRET), (PUBLIC, "")])
def test_a_client_needs_both_keys(keys):
    with pytest.raises(InvalidArgument, match="is missing"):
        Client(*keys)


def test_one_client_serves_sixteen_threads_over_as_many_connections():
    barrier = threading.Barrier(16)

    def handle(connection):
        while connection.read_request():
            if len(connection.server.requests) <= 16:
                barrier.wait(10)
            connection.send(reply({"key": "cus_1"}))

    with Server(handle) as server, Client(PUBLIC, SECRET, server.url) as client:
        for _ in range(2):
            threads = [threading.Thread(target=client.customers.get, args=["acme"]) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert (len(server.requests), len(server.connections)) == (32, 16)


def test_the_environment_is_not_used_unless_asked(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Server(answering(reply({"key": "cus_1"}))) as server:
        assert Client(PUBLIC, SECRET, server.url).customers.get("acme").key == "cus_1"
        asked = Client(PUBLIC, SECRET, server.url, use_environment=True)
        with pytest.raises(NotSent, match="refused"):
            asked.customers.create(customer_key="a", email="a@example.com", partner_key="john")


def test_a_session_of_yours_keeps_its_adapters():
    class Adapter(requests.adapters.BaseAdapter):
        def send(self, request, **options):
            response = requests.Response()
            response.status_code = 200
            response._content = b'{"data": {"key": "from the adapter"}, "status": 200}'
            response.request = request
            return response

        def close(self):
            pass

    session = requests.Session()
    session.mount("https://", Adapter())
    assert Client(PUBLIC, SECRET, session=session).customers.get("acme").key == "from the adapter"


def test_no_error_shows_a_key_even_with_the_variables_of_its_traceback(api):
    client = Client(PUBLIC, SECRET, tracking_token=TOKEN)
    api.get(f"{API}/customers/acme", status=401, json={"message": f"wrong keys {PUBLIC}:{SECRET}"})
    with pytest.raises(AuthenticationFailed) as caught:
        client.customers.get("acme")
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "Canary" not in "".join(shown.format())


@pytest.mark.parametrize(
    "given",
    [{"secret_key": SECRET + " "}, {"tracking_token": TOKEN + "\n"}, {"timeout": 0}, {"api_url": "x"}],
)
def test_a_wrong_argument_shows_no_key_even_with_variables(given):
    with pytest.raises(InvalidArgument) as caught:
        Client(**{"public_key": PUBLIC, "secret_key": SECRET, "tracking_token": TOKEN, **given})
    # The first frame is this test, which has the keys.
    shown = traceback.TracebackException(caught.type, caught.value, caught.tb.tb_next, capture_locals=True)
    assert "Canary" not in "".join(shown.format())


def test_an_error_of_the_network_shows_no_key_even_with_variables():
    client = Client(PUBLIC, SECRET, "http://127.0.0.1:1")
    with pytest.raises(PartnerStackError) as caught:
        client.customers.create(customer_key="a", email="a@example.com", partner_key="john")
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(shown.format())
    assert "Canary" not in text
    assert "Basic" not in text


def test_a_key_is_not_logged(caplog):
    caplog.set_level("DEBUG")
    with Server(answering(reply({"key": "cus_1"}))) as server:
        Client(PUBLIC, SECRET, server.url).customers.get("acme")
    assert "Canary" not in caplog.text
    assert "Basic" not in caplog.text


def test_a_closed_client_can_be_used_again(api):
    api.get(f"{API}/customers/acme", json=envelope({"key": "cus_1"}))
    with Client(PUBLIC, SECRET) as client:
        client.customers.get("acme")
    assert client.customers.get("acme").key == "cus_1"
