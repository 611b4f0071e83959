from __future__ import annotations

import os

import pytest
from hypothesis import settings

from django_partnerstack.testing import plugin
from tests.lengths import by_length

# The servers of the tests are on this machine, where no proxy of the environment can reach them.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

# A busy machine is slow, not wrong.
settings.register_profile("tests", deadline=None, max_examples=by_length(quick=30, usual=100, long=100))
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin of the package, as pytest does where the package is installed."""
    if not config.pluginmanager.has_plugin("partnerstack"):
        config.pluginmanager.register(plugin, "partnerstack")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("starts_first") is None)
