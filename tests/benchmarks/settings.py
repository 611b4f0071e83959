"""The settings of the tests, but SQLite writes to disk after each commit, as by default."""

import os
import tempfile
from pathlib import Path

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    name = Path(tempfile.gettempdir()) / f"partnerstack-benchmark-{os.getpid()}.sqlite3"
    DATABASES["default"] |= {"OPTIONS": {}, "TEST": {"NAME": name}}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
