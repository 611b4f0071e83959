"""Settings of the processes that a test starts, which passes addresses in the environment."""

from kombu import Exchange, Queue

from django_partnerstack.sandbox import TEST_KEYS
from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, env

DATABASES["default"]["NAME"] = env("TEST_DATABASE")

PARTNERSTACK_PUBLIC_KEY, PARTNERSTACK_SECRET_KEY = TEST_KEYS
PARTNERSTACK_API_URL = env("TEST_API_URL")
PARTNERSTACK_DISPATCH = env("TEST_DISPATCH")

#: Unique for each test, because other applications may use the same brokers.
NAME = env("TEST_NAME", default="partnerstack-test")
CELERY_BROKER_URL = env("TEST_BROKER_URL", default="memory://")
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 1, "interval_start": 0, "interval_max": 0}
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"] = f"{NAME}:"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = NAME
CELERY_TASK_QUEUES = [
    Queue(NAME, Exchange(NAME, auto_delete=True), routing_key=NAME, auto_delete=True),
]
CELERY_TASK_DEFAULT_EXCHANGE = CELERY_TASK_DEFAULT_ROUTING_KEY = NAME
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
