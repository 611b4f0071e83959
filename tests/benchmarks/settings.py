"""The settings of the tests, with SQLite as Django has it: on disk after each commit."""

import os
import tempfile
from pathlib import Path

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    name = Path(tempfile.gettempdir()) / f"partnerstack-benchmark-{os.getpid()}.sqlite3"
    DATABASES["default"] |= {"OPTIONS": {}, "TEST": {"NAME": name}}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
