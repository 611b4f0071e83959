from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.insight.conftest import sign_up

pytestmark = pytest.mark.django_db


def run(customer: str) -> list[str]:
    out = StringIO()
    call_command("partnerstack_explain", customer, stdout=out)
    return out.getvalue().splitlines()


def test_a_sign_up_is_explained_below_its_key() -> None:
    account = sign_up("/?ps_xid=abc")
    heading, *sentences = run("ada@example.com")
    assert heading == f"shop-account-{account.pk} (test mode)"
    [click] = [sentence for sentence in sentences if "a link without a partner key" in sentence]
    assert click.endswith("The click ID is abc.")


def test_an_unknown_customer_is_an_error_of_one_line() -> None:
    with pytest.raises(
        CommandError, match=r"^There is no customer 'nobody' in test mode: give .+\.$"
    ) as error:
        run("nobody")
    assert error.value.returncode == 1
