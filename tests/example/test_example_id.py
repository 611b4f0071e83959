from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from django_partnerstack.models import Attribution
from example_project.saas.models import Account

pytestmark = pytest.mark.django_db

IDENTITY = {"name": "Grace Ltd", "email": "Grace@example.com"}


def begin(client: Client) -> str:
    """The path of the provider's page."""
    address = client.get("/sign-up/example-id/")["Location"]
    return address.removeprefix("http://testserver")


def come_back(client: Client, **changes: str) -> str:
    """The address that the site redirects to in the end."""
    address = urlsplit(client.post(begin(client), IDENTITY)["Location"])
    given = {name: values[0] for name, values in parse_qs(address.query).items()}
    return client.get(address.path, given | changes)["Location"]


def test_a_sign_up_by_example_id_is_logged_in_and_keeps_its_click(client: Client) -> None:
    client.get("/tour/?ps_xid=abc")
    assert come_back(client) == "/billing/"
    assert client.get("/billing/").status_code == 200
    assert Attribution.objects.get().click_id == "abc"


def test_an_existing_user_is_only_logged_in(client: Client) -> None:
    come_back(client)
    come_back(Client())
    assert Account.objects.count() == 1


@pytest.mark.parametrize("changes", [{"code": "forged"}, {"code": ""}, {"state": "forged"}])
def test_a_forged_answer_of_the_provider_creates_no_account(client: Client, changes: dict[str, str]) -> None:
    assert come_back(client, **changes) == "/sign-up/"
    assert not Account.objects.exists()


def test_a_return_that_was_never_begun_is_refused(client: Client) -> None:
    assert client.get("/sign-up/example-id/return/")["Location"] == "/sign-up/"


@pytest.mark.parametrize("return_to", ["", "https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_the_provider_redirects_to_no_other_site(client: Client, return_to: str) -> None:
    assert client.post("/example-id/", IDENTITY, query_params={"return_to": return_to}).status_code == 400


def test_the_provider_is_the_same_server_by_its_other_name(client: Client) -> None:
    answer = client.get("/sign-up/example-id/", headers={"host": "localhost:8000"})
    assert answer["Location"].startswith("http://127.0.0.1:8000/example-id/?return_to=http%3A%2F%2Flocalhost")
