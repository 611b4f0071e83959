"""
The plugin of pytest: the fixture ``partnerstack``.

pytest imports this module in every run where the package is installed, so it imports nothing but pytest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .kit import PartnerStack

KIT: pytest.StashKey[PartnerStack] = pytest.StashKey()


@pytest.fixture
def partnerstack(request: pytest.FixtureRequest, db: None) -> Iterator[PartnerStack]:
    """A sandbox instead of PartnerStack. The report of a failure says what was queued, and why it waits."""
    from .kit import PartnerStack

    with PartnerStack() as kit:
        request.node.stash[KIT] = kit
        yield kit


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    kit = item.stash.get(KIT, None)
    if kit is not None and report.failed and report.when == "call":
        from .mixin import explained

        report.sections.append(("PartnerStack", explained(kit)))
    return report
