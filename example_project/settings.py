"""
Settings of the example site, from environment variables. All of them are optional.

``DEBUG``, ``SECRET_KEY``, ``ALLOWED_HOSTS``, ``DATABASE_URL``, ``SERVER_LOG_LEVEL``,
``SILENCED_SYSTEM_CHECKS``, and every ``PARTNERSTACK_…`` setting by its own name, a list with commas. Without
them the site has no keys, and uses the address of ``partnerstack_sandbox``.
"""

from __future__ import annotations

from pathlib import Path

import environ

from django_partnerstack.conf import Conf

env = environ.Env()
ROOT = Path(__file__).parent

DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = env.str("SECRET_KEY", default="for-trying-out-on-this-machine-only")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
SILENCED_SYSTEM_CHECKS = env.list("SILENCED_SYSTEM_CHECKS", default=[])

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{ROOT / 'example.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # The site and the worker write at the same time: let them wait for each other instead of failing.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode = WAL",
    }

PARTNERSTACK_API_URL = "http://127.0.0.1:8765/api/v2"
PARTNERSTACK_CONVERSION_URL = "http://127.0.0.1:8765/conversion/xid"
for name, setting in Conf.known().items():
    if name in env:
        # A list is given with commas. None is the default of a list.
        cast = {int: float, type(None): list, tuple: list}.get(type(setting.default), type(setting.default))
        globals()[name] = env.get_value(name, cast=cast)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_partnerstack",
    "example_project.saas",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django_partnerstack.middleware.AttributionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ROOT_URLCONF = "example_project.urls"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "billing"
LOGOUT_REDIRECT_URL = "home"
STATIC_URL = "static/"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # Django logs each request at level INFO.
    "loggers": {"django.server": {"level": env.str("SERVER_LOG_LEVEL", default="INFO")}},
}
USE_TZ = True
TIME_ZONE = "UTC"
