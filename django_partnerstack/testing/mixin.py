"""The test kit for Django's test cases."""

from __future__ import annotations

import unittest
from typing import Any

from .kit import PartnerStack


class PartnerStackMixin(unittest.TestCase):
    """
    Gives each test a ``PartnerStack`` as ``self.partnerstack``:

        class SignUpTests(PartnerStackMixin, TestCase):
            def test_a_referred_sign_up_is_credited(self):
                self.partnerstack.click("ada", self.client)

    The message of a failed assertion also says what was queued, and why it has not left.
    """

    partnerstack: PartnerStack

    def setUp(self) -> None:
        self.partnerstack = PartnerStack()
        self.partnerstack.__enter__()
        self.addCleanup(self.partnerstack.__exit__, None, None, None)
        super().setUp()

    def _formatMessage(self, msg: Any, standardMsg: str) -> str:
        message = super()._formatMessage(msg, standardMsg)
        kit = getattr(self, "partnerstack", None)
        return message if kit is None else f"{message}\n\n{explained(kit)}"


def explained(partnerstack: PartnerStack) -> str:
    """The explanation, also where the database cannot be read any more."""
    try:
        return partnerstack.explain()
    except Exception as error:
        return f"What was queued cannot be read: {error}"
