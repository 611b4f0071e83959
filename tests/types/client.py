from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import assert_type

from django_partnerstack.client import Client, CustomerRecord, Page

client = Client("pk_test", "sk_test")


def records_have_types() -> None:
    assert_type(client.customers.get("x"), CustomerRecord)
    assert_type(client.customers.get("x").email, str)
    assert_type(client.customers.list(limit=10), Page[CustomerRecord])
    assert_type(client.customers.iterate(), Iterator[CustomerRecord])


def unknown_names_are_refused() -> None:
    client.custommers.get("x")  # type: ignore[attr-defined]
    client.customers.fetch("x")  # type: ignore[attr-defined]
    client.customers.get("x").mail  # type: ignore[attr-defined]  # noqa: B018
    Client("pk_test", "sk_test", tracking_tokn="t")  # type: ignore[call-arg]


def records_cannot_be_changed() -> None:
    client.customers.get("x").email = "new@example.com"  # type: ignore[misc]
