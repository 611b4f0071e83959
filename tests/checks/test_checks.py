"""What is true of every check."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

import django_partnerstack.checks

from .run import KEYS, ids, run

README = Path(__file__).parents[2] / "README.rst"
CANARY = "sk_canary_4f9c"


def test_a_key_pair_is_all_that_a_site_needs() -> None:
    assert ids(**KEYS) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"PARTNERSTACK_PUBLIC_KEY": CANARY},
        {"PARTNERSTACK_PUBLIC_KEY": CANARY, "PARTNERSTACK_SECRET_KEY": CANARY},
        {"PARTNERSTACK_PUBLIC_KEY": "pk_1", "PARTNERSTACK_SECRET_KEY": f"{CANARY}\n"},
        {"PARTNERSTACK_PUBLIC_KEY": "pk_1", "PARTNERSTACK_SECRET_KEY": CANARY.encode()},
        {"PARTNERSTACK_MODE": CANARY},
        {"PARTNERSTACK_API_URL": f"http://{CANARY}:{CANARY}@{CANARY}/{CANARY}"},
        {"PARTNERSTACK_CONVERSION_URL": CANARY},
        {"PARTNERSTACK_READ_TIMEOUT": CANARY},
        {"PARTNERSTACK_SECRT_KEY": CANARY},
    ],
)
def test_no_check_shows_the_value_of_a_setting(settings: dict[str, Any]) -> None:
    messages = run(deploy=True, **settings)
    assert messages
    assert "canary" not in "".join(map(str, messages))


@pytest.mark.django_db
def test_manage_py_check_fails_on_an_error() -> None:
    with override_settings(PARTNERSTACK_MODE="live"), pytest.raises(SystemCheckError, match="E005"):
        call_command("check", "--tag=partnerstack", stderr=StringIO())


def test_every_id_is_used_once_and_documented() -> None:
    folder = Path(django_partnerstack.checks.__file__).parent
    code = "".join(path.read_text() for path in folder.glob("*.py") if path.name != "__init__.py")
    used = re.findall(r'id="(partnerstack\.[EW]\d{3})"', code)
    documented = re.findall(r"^``(partnerstack\.[EW]\d{3})``", README.read_text(), re.M)
    assert sorted(used) == sorted(documented)
    assert len(set(used)) == len(used)
