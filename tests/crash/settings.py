"""Settings of the processes that a test starts. The test sets the environment variables."""

from django_partnerstack.sandbox import TEST_KEYS
from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, env

DATABASES["default"]["NAME"] = env("CRASH_DATABASE", default=DATABASES["default"]["NAME"])

PARTNERSTACK_PUBLIC_KEY, PARTNERSTACK_SECRET_KEY = TEST_KEYS
PARTNERSTACK_API_URL = env("CRASH_API_URL", default="http://127.0.0.1:1/api/v2")
#: Seconds. A lease in these tests lasts for a look-up, a request and one more second.
PARTNERSTACK_CONNECT_TIMEOUT = PARTNERSTACK_READ_TIMEOUT = 1
#: Longer than a lease, as by default: PartnerStack has carried out the request of a dead worker by then.
PARTNERSTACK_LOOKUP_GRACE = 6
PARTNERSTACK_REQUESTS_PER_MINUTE = env.int("CRASH_REQUESTS_PER_MINUTE", default=600_000)
