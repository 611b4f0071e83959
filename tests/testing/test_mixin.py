from __future__ import annotations

import unittest

import pytest
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from django_partnerstack.connection import ConfigurationError, get_client
from django_partnerstack.exceptions import NetworkRefused
from django_partnerstack.testing import PartnerStackMixin
from example_project.saas import billing


class InATransaction(PartnerStackMixin, TestCase):
    def test_a_customer_is_delivered_in_the_transaction_of_the_test(self) -> None:
        self.partnerstack.partner("grace")
        billing.sign_up(email="ada@example.com", password=None, name="Ada Ltd", partner_key="grace")
        self.partnerstack.deliver()
        self.assertEqual(self.partnerstack.customers, [{"email": "ada@example.com"}])

    def test_it_begins_empty_each_time(self) -> None:
        self.test_a_customer_is_delivered_in_the_transaction_of_the_test()
        self.assertEqual(self.partnerstack.effects, {"customers.create": 1})


class WithoutATransaction(PartnerStackMixin, TransactionTestCase):
    def test_a_customer_is_delivered_after_its_commit(self) -> None:
        self.partnerstack.partner("grace")
        billing.sign_up(email="ada@example.com", password=None, name="Ada Ltd", partner_key="grace")
        self.partnerstack.deliver()
        self.assertEqual(self.partnerstack.customers, [{"email": "ada@example.com"}])


class QueuedBefore(PartnerStackMixin, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        billing.sign_up(email="ada@example.com", password=None, name="Ada Ltd", partner_key="grace")

    def setUp(self) -> None:
        super().setUp()
        self.partnerstack.partner("grace")

    def test_data_of_the_class_are_delivered_in_each_test(self) -> None:
        self.partnerstack.deliver()
        self.partnerstack.assert_all_delivered()

    test_data_of_the_class_are_delivered_in_each_test_again = (
        test_data_of_the_class_are_delivered_in_each_test
    )


class Failing(PartnerStackMixin, TestCase):
    """Not collected by pytest: its test is to fail."""

    __test__ = False

    def test_nothing_was_delivered(self) -> None:
        billing.sign_up(email="ada@example.com", password=None, name="Ada Ltd", partner_key="grace")
        self.assertEqual(self.partnerstack.customers, [{"email": "ada@example.com"}])


@pytest.mark.django_db
def test_a_failed_assertion_explains_itself() -> None:
    result = unittest.TestResult()
    Failing("test_nothing_was_delivered").run(result)
    [(_, text)] = result.failures
    assert "[] != [{'email': 'ada@example.com'}]" in text
    assert "customers.save saas-account-" in text
    assert "Nothing has delivered it yet: call partnerstack.deliver()." in text


class WithoutDatabase(PartnerStackMixin, SimpleTestCase):
    __test__ = False

    def test_something_else(self) -> None:
        self.assertEqual(1, 2)


def test_a_failure_without_a_database_is_still_that_failure() -> None:
    result = unittest.TestResult()
    WithoutDatabase("test_something_else").run(result)
    [(_, text)] = result.failures
    assert "1 != 2" in text
    assert "What was queued cannot be read" in text


def test_nothing_is_left_after_a_test() -> None:
    result = unittest.TestResult()
    WithoutDatabase("test_something_else").run(result)
    with pytest.raises((ConfigurationError, NetworkRefused)):
        get_client().groups.list()
