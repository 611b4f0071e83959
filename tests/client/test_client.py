import base64
import copy
import inspect
import pickle
import threading
import traceback
from typing import get_origin, get_type_hints

import pytest
import requests

import django_partnerstack.client
from django_partnerstack.client import Client
from django_partnerstack.client.records import RECORDS
from django_partnerstack.exceptions import (
    AuthenticationFailed,
    InvalidArgument,
    NotSent,
    PartnerStackError,
)

from .conftest import API, PUBLIC, SECRET, TOKEN, envelope
from .servers import Server, reply, replying


def test_the_repr_of_a_client_has_its_url_and_a_part_of_the_public_key():
    assert repr(Client(PUBLIC, SECRET)) == f"<Client {API} pk_…1234>"


@pytest.mark.parametrize("store", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_cannot_be_pickled_or_copied(store):
    with pytest.raises(TypeError, match="contains keys"):
        store(Client(PUBLIC, SECRET))


@pytest.mark.parametrize(
    "given", [{"timeout": 0}, {"timeout": (5, None)}, {"deadline": -1}, {"api_url": "http://a.b/"}]
)
def test_a_wrong_argument_is_refused(given):
    with pytest.raises(InvalidArgument, match=next(iter(given))):
        Client(PUBLIC, SECRET, **given)


@pytest.mark.parametrize("keys", [("", SECRET), (PUBLIC, "")])
def test_a_client_needs_both_keys(keys):
    with pytest.raises(InvalidArgument, match="is missing"):
        Client(*keys)


def test_sixteen_threads_share_a_client_with_a_connection_each():
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


@pytest.fixture
def environment(monkeypatch):
    """The environment without variables of the machine that runs the tests."""
    for name in (
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "all_proxy",
        "requests_ca_bundle",
        "curl_ca_bundle",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_the_proxy_of_the_environment_is_used_unless_the_client_is_told_not_to(environment):
    with Server(replying(reply({"key": "cus_1"}))) as proxy, Server(replying()) as nobody:
        environment.setenv("HTTP_PROXY", proxy.url)
        assert Client(PUBLIC, SECRET, "http://127.0.0.1:1").customers.get("acme").key == "cus_1"
        assert b"GET http://127.0.0.1:1/customers/acme " in proxy.requests[0]
        alone = Client(PUBLIC, SECRET, "http://127.0.0.1:1", use_environment=False)
        with pytest.raises(NotSent, match="refused"):
            alone.customers.create(customer_key="a", email="a@example.com", partner_key="john")
        assert (len(proxy.requests), nobody.requests) == (1, [])


def test_a_write_through_a_proxy_that_does_not_answer_was_not_sent(environment):
    environment.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Server(replying(reply({"key": "cus_1"}))) as server, pytest.raises(NotSent, match="refused"):
        Client(PUBLIC, SECRET, server.url).customers.delete("acme")
    assert not server.requests


@pytest.mark.parametrize("use_environment", [True, False])
def test_netrc_never_replaces_the_keys(environment, use_environment, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else")
    netrc.chmod(0o600)
    environment.setenv("NETRC", str(netrc))
    environment.setenv("HOME", str(tmp_path))
    with Server(replying(reply({"key": "cus_1"}))) as server:
        Client(PUBLIC, SECRET, server.url, use_environment=use_environment).customers.get("acme")
    keys = base64.b64encode(f"{PUBLIC}:{SECRET}".encode())
    assert b"Authorization: Basic " + keys + b"\r\n" in server.requests[0]


def test_a_given_session_keeps_its_adapters():
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


def test_no_error_shows_a_key_even_with_local_variables(api):
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
def test_a_refused_argument_shows_no_key_even_with_local_variables(given):
    with pytest.raises(InvalidArgument) as caught:
        Client(**{"public_key": PUBLIC, "secret_key": SECRET, "tracking_token": TOKEN, **given})
    # The first frame is this test, which has the keys.
    shown = traceback.TracebackException(caught.type, caught.value, caught.tb.tb_next, capture_locals=True)
    assert "Canary" not in "".join(shown.format())


def test_a_network_error_shows_no_key_even_with_local_variables():
    client = Client(PUBLIC, SECRET, "http://127.0.0.1:1")
    with pytest.raises(PartnerStackError) as caught:
        client.customers.create(customer_key="a", email="a@example.com", partner_key="john")
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(shown.format())
    assert "Canary" not in text
    assert "Basic" not in text


def test_a_key_is_not_logged(caplog):
    caplog.set_level("DEBUG")
    with Server(replying(reply({"key": "cus_1"}))) as server:
        Client(PUBLIC, SECRET, server.url).customers.get("acme")
    assert "Canary" not in caplog.text
    assert "Basic" not in caplog.text


def test_a_closed_client_can_be_used_again(api):
    api.get(f"{API}/customers/acme", json=envelope({"key": "cus_1"}))
    with Client(PUBLIC, SECRET) as client:
        client.customers.get("acme")
    assert client.customers.get("acme").key == "cus_1"


def test_the_annotated_resources_are_those_that_a_client_has():
    annotated = {name: get_origin(kind) or kind for name, kind in get_type_hints(Client).items()}
    client = Client(PUBLIC, SECRET)
    assert annotated == {name: type(getattr(client, name)) for name in [*RECORDS, "links", "conversions"]}


def test_every_public_name_has_a_docstring():
    public = [getattr(django_partnerstack.client, name) for name in django_partnerstack.client.__all__]
    resources = [type(each) for each in vars(Client(PUBLIC, SECRET)).values() if hasattr(each, "create")]
    names = {
        f"{each.__name__}.{name}": member
        for each in [*public, *resources]
        for name, member in [("", each), *inspect.getmembers(each, inspect.isroutine)]
        if not name.startswith("_") and member.__module__.startswith("django_partnerstack")
    }
    assert {"Client.request", "Customers.create", "Page.", "GroupRecord.from_api"} <= set(names)
    # A dataclass without a docstring gets its signature as its docstring.
    written = {
        name for name, each in names.items() if each.__doc__ and f"{each.__name__}(" not in each.__doc__
    }
    assert set(names) == written


def test_any_other_route_can_be_read(client, api):
    api.get(f"{API}/form-templates?target_type=lead", json=envelope([{"key": "mold_1"}]))
    assert client.request("get", "/form-templates", {"target_type": "lead"}) == [{"key": "mold_1"}]


def test_any_other_route_can_be_written(client, api):
    api.patch(f"{API}/partnerships/part_1/tags", json={"message": "ok", "status": 200})
    assert client.request("PATCH", "/partnerships/part_1/tags", json={"add": ["a"]}) is None
    assert api.calls[0].request.body == b'{"add": ["a"]}'


def test_version_1_reads_a_partnership_by_its_partner_key(api):
    api.get(
        "https://api.partnerstack.com/v1/partnerships/john",
        json={"status": 200, "rdata": {"partner_key": "john"}},
    )
    client = Client(PUBLIC, SECRET, "https://api.partnerstack.com/v1")
    assert client.partnerships.get("john").partner_key == "john"
