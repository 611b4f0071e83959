"""Settings of the processes that a test starts. The test says in the environment where things are."""

from django_partnerstack.sandbox import TEST_KEYS
from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, env

DATABASES["default"]["NAME"] = env("CRASH_DATABASE", default=DATABASES["default"]["NAME"])

PARTNERSTACK_PUBLIC_KEY, PARTNERSTACK_SECRET_KEY = TEST_KEYS
PARTNERSTACK_API_URL = env("CRASH_API_URL", default="http://127.0.0.1:1/api/v2")
#: Seconds. A lease in these tests lasts for a look-up, a sending and one more.
PARTNERSTACK_CONNECT_TIMEOUT = PARTNERSTACK_READ_TIMEOUT = 1
#: Longer than a lease, as it is by default: a request that a dead worker has sent is carried out by then.
PARTNERSTACK_LOOKUP_GRACE = 6
PARTNERSTACK_REQUESTS_PER_MINUTE = env.int("CRASH_REQUESTS_PER_MINUTE", default=600_000)
