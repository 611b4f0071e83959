"""What the processes of these tests have in common: Django, loaded before they are forked."""

import os
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.crash.settings"
django.setup()

from django.conf import settings as site  # noqa: E402
from django.db import connections  # noqa: E402

from . import host, worker  # noqa: E402, F401


def use(database: dict[str, Any], settings: dict[str, Any]) -> None:
    """Settings of one process, before it has connected to anything."""
    del connections["default"]
    connections.settings.update(connections.configure_settings({"default": database}))
    for name, value in settings.items():
        setattr(site, name, value)
