import dataclasses
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack import client
from django_partnerstack.exceptions import RecordError

RECORDS = [
    client.ActionRecord,
    client.CustomerRecord,
    client.DealRecord,
    client.GroupRecord,
    client.LeadRecord,
    client.LinkRecord,
    client.PartnershipRecord,
    client.RewardRecord,
    client.TransactionRecord,
    client.WebhookRecord,
]
NAMES = sorted({field.name for record in RECORDS for field in dataclasses.fields(record)} - {"raw"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", *NAMES]), inner),
    max_leaves=10,
)
OBJECTS = st.dictionaries(
    st.sampled_from([*NAMES, "group", "customer", "transaction", "partnership", "is_archived", "target"]),
    JSON,
)


def columns(record):
    return {field.name for field in dataclasses.fields(record)}


@pytest.mark.parametrize("record", RECORDS)
def test_an_object_needs_only_a_key(record):
    found = record.from_api({"key": "x_1", "unknown": 1})
    assert (found.key, found.created_at, found.archived) == ("x_1", None, False)
    assert found.raw == {"key": "x_1", "unknown": 1}


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("key", [None, "", {}, True, "x" * 256])
def test_an_object_without_a_usable_key_is_an_error(record, key):
    with pytest.raises(RecordError, match=f"{record.__name__}: key is") as caught:
        record.from_api({"key": key})
    assert caught.value.raw == {"key": key}


@pytest.mark.parametrize("item", [None, [], "x", 5])
def test_an_item_that_is_not_an_object_is_an_error(item):
    with pytest.raises(RecordError, match="not an object"):
        client.CustomerRecord.from_api(item)


@given(st.sampled_from(RECORDS), OBJECTS)
def test_any_object_is_a_record_or_a_record_error(record, item):
    try:
        found = record.from_api(item)
    except RecordError:
        return
    inner = item.get(record.resource.removesuffix("s"))
    assert found.raw is item or ("key" not in item and found.raw is inner)
    assert 0 < len(found.key) <= 255


@given(st.sampled_from(RECORDS), OBJECTS)
def test_the_values_of_a_record_fit_their_columns(record, item):
    try:
        found = record.from_api({**item, "key": "x_1"})
    except RecordError:
        return
    values = [getattr(found, name) for name in columns(record) - {"raw"}]
    assert all(len(value) <= 255 for value in values if isinstance(value, str))
    assert all(-(2**63) <= value < 2**63 for value in values if isinstance(value, int))


def test_a_record_is_frozen_and_its_repr_omits_the_raw_object():
    found = client.CustomerRecord.from_api({"key": "cus_1", "phone": "12345"})
    assert "12345" not in repr(found)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.email = "a@example.com"


def test_a_record_can_be_in_a_set():
    assert len({client.LinkRecord.from_api({"key": "l"}), client.LinkRecord.from_api({"key": "l"})}) == 1


def test_a_partnership_of_version_2():
    found = client.PartnershipRecord.from_api(
        {
            "key": "part_1",
            "partner_key": "johnsmith",
            "email": "john@example.com",
            "group": {"key": "grup_1", "name": "Gold"},
            "approved_status": "approved",
            "created_at": 0,
        }
    )
    assert (found.key, found.partner_key, found.group_key) == ("part_1", "johnsmith", "grup_1")
    assert found.created_at == datetime(1970, 1, 1, tzinfo=timezone.utc)


def test_the_key_of_a_partnership_of_version_1_is_its_partner_key():
    found = client.PartnershipRecord.from_api(
        {"id": 17, "partner_key": "johnsmith", "group": {"id": 3, "name": "Gold"}, "archived": "false"}
    )
    assert (found.key, found.partner_key, found.group_key, found.archived) == (
        "johnsmith",
        "johnsmith",
        "",
        False,
    )


@pytest.mark.parametrize(
    ("item", "customer_key"),
    [
        ({"key": "cus_1", "customer_key": "acme"}, "acme"),
        ({"key": "cus_1", "external_key": "acme"}, "acme"),
        ({"key": "cus_1", "customer_key": None}, ""),
        ({"key": "acme", "email": "a@example.com", "partner_key": "john"}, "acme"),
        ({"key": "acme", "partnership_key": "part_1"}, ""),
        ({"key": "cus_1"}, ""),
    ],
)
def test_the_sites_own_key_of_a_customer_has_three_names(item, customer_key):
    assert client.CustomerRecord.from_api(item).customer_key == customer_key


def test_test_is_none_if_partnerstack_does_not_send_it():
    assert client.CustomerRecord.from_api({"key": "cus_1"}).test is None


@pytest.mark.parametrize(
    "item",
    [
        {"customer_key": "cus_1", "customer_external_key": "acme"},
        {"customer": {"key": "cus_1", "external_key": "acme"}},
        {"customer_key": "cus_1", "customer": {"key": "cus_2", "external_key": "acme"}},
    ],
)
def test_the_customer_of_a_transaction_is_nested_or_flat(item):
    found = client.TransactionRecord.from_api({"key": "ch_1", **item})
    assert (found.customer_key, found.customer_external_key) == ("cus_1", "acme")


def test_a_currency_of_more_than_three_letters_is_an_error():
    with pytest.raises(RecordError, match="currency is longer than 3"):
        client.TransactionRecord.from_api({"key": "ch_1", "amount": 1, "currency": "Dollars"})


@pytest.mark.parametrize(
    "item",
    [
        {"partnership": {"key": "part_1"}, "customer": {"key": "cus_1"}, "transaction": {"key": "ch_1"}},
        {"partnership_key": "part_1", "customer_key": "cus_1", "transaction_key": "ch_1", "customer": None},
    ],
)
def test_the_objects_of_a_reward_are_nested_or_flat(item):
    found = client.RewardRecord.from_api({"key": "rwrd_1", **item})
    assert (found.partnership_key, found.customer_key, found.transaction_key) == ("part_1", "cus_1", "ch_1")


@pytest.mark.parametrize(
    ("item", "archived"),
    [({}, False), ({"archived": "false"}, False), ({"archived": True}, True), ({"is_archived": True}, True)],
)
def test_archived_has_two_names(item, archived):
    assert client.DealRecord.from_api({"key": "deal_1", **item}).archived is archived


def test_a_record_needs_a_key():
    with pytest.raises(TypeError, match="key"):
        client.GroupRecord()


@pytest.mark.parametrize("field", ["target_url", "target"])
def test_the_url_of_a_webhook_has_two_names(field):
    found = client.WebhookRecord.from_api({"key": "w", field: "https://example.com/", "events": ["a", 5]})
    assert (found.target_url, found.events) == ("https://example.com/", ("a",))


def test_a_reward_says_what_it_was_paid_for():
    reward = client.RewardRecord.from_api(
        {
            "key": "rwrd_1",
            "description": "Commission " * 50,
            "reward_status": "pending",
            "source": {"type": "transaction", "key": "inv_1"},
            "customer": {"key": "cus_1", "external_key": "account-1"},
        }
    )
    assert (reward.description, reward.status) == ("Commission " * 50, "pending")
    assert (reward.source, reward.source_key) == ({"type": "transaction", "key": "inv_1"}, "inv_1")
    assert (reward.customer_key, reward.customer_external_key) == ("cus_1", "account-1")
    assert reward.transaction_key == "inv_1"


@pytest.mark.parametrize(
    ("item", "transaction", "source"),
    [
        ({"source": {"type": "action", "key": "act_1"}}, "", "act_1"),
        ({"source": {"type": "transaction", "key": "a"}, "transaction": {"key": "b"}}, "b", "a"),
        ({"source": {"type": "transaction", "key": "a"}, "transaction": None}, "a", "a"),
        ({"source": None}, "", ""),
        ({"source": {"type": "transaction", "key": None}}, "", ""),
        ({"source": "transaction"}, "", ""),
    ],
)
def test_the_transaction_of_a_reward_can_be_named_as_its_source_alone(item, transaction, source):
    reward = client.RewardRecord.from_api({"key": "rwrd_1", **item})
    assert (reward.transaction_key, reward.source_key) == (transaction, source)


def test_a_status_of_a_reward_has_two_names_at_partnerstack():
    assert client.RewardRecord.from_api({"key": "rwrd_1", "status": "paid"}).reward_status == "paid"


def test_a_transaction_has_what_the_site_sent_with_it_and_the_amount_in_us_dollars():
    sent = {"metadata": {"plan": "pro"}, "category_key": "saas", "product_key": "pro", "amount_usd": 5300}
    transaction = client.TransactionRecord.from_api({"key": "inv_1", **sent})
    assert {name: getattr(transaction, name) for name in sent} == sent


def test_a_partnership_has_its_counters_its_tags_and_when_it_was_joined():
    stats = {"CUSTOMER_COUNT": 2, "REVENUE": 4900}
    item = {
        "key": "part_1",
        "stats": stats,
        "tags": ["gold", {"key": "tag_1", "name": "vip"}],
        "joined_at": 0,
    }
    partner = client.PartnershipRecord.from_api(item)
    assert (partner.stats, partner.tags) == (stats, ("gold", "vip"))
    assert partner.joined_at == datetime(1970, 1, 1, tzinfo=timezone.utc)


def test_an_object_that_is_missing_is_empty_and_no_record_shares_it():
    first, second = (client.PartnershipRecord.from_api({"key": "part_1", "stats": None}) for _ in range(2))
    assert (first.stats, first.tags, first.joined_at) == ({}, (), None)
    assert first.stats is not second.stats


@pytest.mark.parametrize("record", RECORDS)
def test_records_can_be_compared_and_put_into_sets(record):
    item = {"key": "x_1", "metadata": {"a": []}, "stats": {"A": {}}, "source": {"key": "b"}, "tags": ["c"]}
    assert len({record.from_api(item), record.from_api(item)}) == 1


def test_a_customer_of_an_event_has_other_names_for_its_name_and_address():
    item = {"key": "cus_1", "customer_name": "Ada", "customer_email": "ada@example.com"}
    found = client.CustomerRecord.from_api(item)
    assert (found.name, found.email) == ("Ada", "ada@example.com")
    found = client.CustomerRecord.from_api({**item, "name": "Bo", "email": "bo@example.com"})
    assert (found.name, found.email) == ("Bo", "bo@example.com")


@pytest.mark.parametrize("record", [each for each in RECORDS if each.resource])
def test_an_object_may_be_one_level_down(record):
    inner = {"key": "x_1"}
    found = record.from_api({record.resource.removesuffix("s"): inner, "message": "done"})
    assert (found.key, found.raw) == ("x_1", inner)


def test_an_object_within_another_object_is_not_taken_for_it():
    transaction = {"key": "inv_1", "customer": {"key": "cus_1"}, "transaction": {"key": "other"}}
    assert client.TransactionRecord.from_api(transaction).key == "inv_1"
    with pytest.raises(RecordError, match="key is missing"):
        client.TransactionRecord.from_api({"customer": {"key": "cus_1"}})
