"""Settings of the test suite. ``DATABASE_URL`` chooses the database; SQLite without it."""

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

import environ

env = environ.Env()
ROOT = Path(__file__).parent

SECRET_KEY = "for-tests-only"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{ROOT / 'tests.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, since a database in memory locks whole tables between threads and is unknown to other processes.
    DATABASES["default"] |= {
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF",
        },
        "TEST": {"NAME": Path(tempfile.gettempdir()) / f"partnerstack-{os.getpid()}.sqlite3"},
    }
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_partnerstack",
    "tests.shop",
    "tests.identity",
    "example_project.saas",
]
if find_spec("django_tasks_db") and find_spec("django.tasks"):
    INSTALLED_APPS.append("django_tasks_db")
MIDDLEWARE = [
    "tests.csp.strict_policy",
    "django.middleware.security.SecurityMiddleware",
    "django_partnerstack.middleware.AttributionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tests.urls"
STATIC_URL = "static/"
# For servers that tests start on this machine.
PARTNERSTACK_TEST_NETWORK = "loopback"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
