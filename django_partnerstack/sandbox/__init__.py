"""
A local PartnerStack, for development and tests: no account, no network, nothing to install.

    from django_partnerstack.sandbox import Sandbox, TEST_KEYS

    sandbox = Sandbox(partnerships=10, customers=1000)
    with sandbox.serve() as server:
        ...  # the API is at server.url + "/api/v2", the old one at server.url + "/v1",
        ...  # conversions at server.url + "/conversion/xid", partner links below server.url + "/l/"

Written from what PartnerStack documents and from what others have seen of it. Where neither says what
happens, ``sandbox.behaviour`` has a switch; ``sandbox.faults`` lets things go wrong; ``sandbox.effects``
counts what was really done; ``change``, ``create``, ``remove`` and ``objects`` are PartnerStack's own side.
``sandbox.click`` is a visitor; ``sandbox.clicks`` and ``sandbox.conversions`` are what was clicked and sent.
Other processes have the same powers at ``/_control/`` (see ``sandbox/control.py``).
"""

from __future__ import annotations

from .behaviour import Behaviour
from .engine import Sandbox
from .fault import Fault
from .faults import Faults
from .keys import PRODUCTION_KEYS, PRODUCTION_TRACKING_TOKEN, TEST_KEYS, TEST_TRACKING_TOKEN
from .replies import Reply
from .world import Click, Conversion

__all__ = [
    "PRODUCTION_KEYS",
    "PRODUCTION_TRACKING_TOKEN",
    "TEST_KEYS",
    "TEST_TRACKING_TOKEN",
    "Behaviour",
    "Click",
    "Conversion",
    "Fault",
    "Faults",
    "Reply",
    "Sandbox",
]
