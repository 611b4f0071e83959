from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack.models import Customer, Partnership
from django_partnerstack.resources import RESOURCES
from django_partnerstack.testing import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", RESOURCES)
def test_every_mirror_has_a_factory_of_rows_with_keys_of_their_own(name: str) -> None:
    create = getattr(factories, name.removesuffix("s"))
    first, second = create(), create()
    assert isinstance(first, RESOURCES[name].model)
    assert first.key != second.key
    assert first.raw["key"] == first.key
    assert RESOURCES[name].model.objects.count() == 2


def test_a_row_has_the_fields_that_the_test_names() -> None:
    factories.partnership(partner_key="grace", first_name="Grace", archived=True)
    row = Partnership.objects.get(partner_key="grace")
    assert (row.first_name, row.archived, row.raw["first_name"]) == ("Grace", True, "Grace")
    assert factories.customer(partner_key="grace", email="ada@example.com") == Customer.objects.get()


def test_a_row_has_the_mode_of_the_site(settings: Any) -> None:
    settings.PARTNERSTACK_MODE = "production"
    assert factories.transaction(amount=4900).mode == "production"


def test_an_unknown_field_is_refused_in_one_line() -> None:
    with pytest.raises(TypeError, match=r"customers have no field 'mail'\. Known: archived, created_at"):
        factories.customer(mail="ada@example.com")
