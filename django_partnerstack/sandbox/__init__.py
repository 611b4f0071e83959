"""
A local PartnerStack, for development and tests: needs no account, no network and no other package.

    from django_partnerstack.sandbox import Sandbox, TEST_KEYS

    sandbox = Sandbox(partnerships=10, customers=1000)
    with sandbox.serve() as server:
        ...  # the API at server.url + "/api/v2", the old API at server.url + "/v1",
        ...  # conversions at server.url + "/conversion/xid", partner links below server.url + "/l/"

The sandbox follows PartnerStack's documentation and what vendors have seen. Where neither is clear,
``sandbox.behaviour`` has a switch. ``sandbox.faults`` adds faults, ``sandbox.effects`` counts effects.
``change``, ``create``, ``remove`` and ``objects`` act as PartnerStack's dashboard. ``sandbox.click``
simulates a visitor's click; ``sandbox.clicks`` and ``sandbox.conversions`` list clicks and conversions. Other
processes do the same over HTTP at ``/_control/`` (see ``sandbox/endpoints/control.py``).
"""

from __future__ import annotations

from .behaviour.faults import Fault, Faults
from .behaviour.switches import Behaviour
from .http.authentication import PRODUCTION_KEYS, PRODUCTION_TRACKING_TOKEN, TEST_KEYS, TEST_TRACKING_TOKEN
from .replies import Reply
from .sandbox import Sandbox
from .storage.database import Click, Conversion

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
