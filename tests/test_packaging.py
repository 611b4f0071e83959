"""What a site gets when it installs the wheel that tox has built."""

from __future__ import annotations

import os
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

import django_partnerstack

PACKAGE = Path(django_partnerstack.__file__).parent


@pytest.fixture(scope="module")
def wheel() -> ZipFile:
    built = os.environ.get("TOX_PACKAGE", "")
    if not built.endswith(".whl"):
        pytest.skip("only tox builds a wheel")
    return ZipFile(built)


@pytest.fixture(scope="module")
def metadata(wheel: ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheel: ZipFile) -> None:
    present = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == {path.relative_to(PACKAGE.parent).as_posix() for path in present}


def test_the_wheel_has_types_migrations_and_licence(wheel: ZipFile) -> None:
    names = wheel.namelist()
    assert "django_partnerstack/py.typed" in names
    assert "django_partnerstack/migrations/0001_initial.py" in names
    assert any(name.endswith("/LICENSE") for name in names)


def test_the_version_is_the_packages_own(metadata: Message) -> None:
    assert metadata["Version"] == django_partnerstack.__version__


def test_the_extras_can_be_asked_for(metadata: Message) -> None:
    assert {"example", "test"} <= set(metadata.get_all("Provides-Extra", []))


def test_the_version_has_an_entry_in_the_changelog() -> None:
    changelog = Path(__file__).parent.parent / "CHANGELOG.rst"
    assert f"\n{django_partnerstack.__version__}" in changelog.read_text()
