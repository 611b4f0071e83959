"""Loads Django before the processes of these tests are forked."""

import os
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.crash.settings"
django.setup()

from django.conf import settings as site  # noqa: E402
from django.db import connections  # noqa: E402

from . import host, worker  # noqa: E402, F401


def use(database: dict[str, Any], settings: dict[str, Any]) -> None:
    """Apply the settings of a process before it connects to anything."""
    del connections["default"]
    connections.settings.update(connections.configure_settings({"default": database}))
    for name, value in settings.items():
        setattr(site, name, value)
