"""Documented: newest first by default, cursors by key, 1 to 250 a page, ten by default."""

import pytest

from django_partnerstack.sandbox import Sandbox

from ..api_client import ApiClient

HOUR = 3_600_000


@pytest.fixture
def sandbox(clock):
    return Sandbox(partnerships=3, customers=300, transactions=20, clock=clock)


@pytest.fixture
def created(sandbox):
    """All customers, newest first."""
    return sandbox.objects("customers")


def keys(rows):
    return [row["key"] for row in rows]


def test_a_page_has_ten_objects_by_default_and_newest_come_first(api, created):
    data = api.get("/customers")
    assert keys(data["items"]) == keys(created[:10])
    assert data["has_more"] is True
    stamps = [item["created_at"] for item in data["items"]]
    assert stamps == sorted(stamps, reverse=True)


def test_a_page_has_250_objects_at_most(api):
    assert len(api.items("/customers", limit=250)) == 250
    assert api.refused("GET", "/customers", limit=251) == (400, "251 is greater than the maximum of 250")
    assert api.refused("GET", "/customers", limit=0) == (400, "0 is less than the minimum of 1")
    assert api.refused("GET", "/customers", limit="ten") == (400, "'ten' is not of type 'integer'")


def test_a_limit_above_250_can_be_lowered_to_250(sandbox, api):
    sandbox.behaviour.limit_above_maximum = "clamp"
    assert len(api.items("/customers", limit=1000)) == 250


def walk(api, path, **query):
    found = []
    while True:
        page = api.get(path, **query)
        found += keys(page["items"])
        if not page["has_more"]:
            return found
        query["starting_after"] = found[-1]


@pytest.mark.parametrize("order", ["-created_at", "created_at", "-updated_at", "updated_at"])
def test_following_the_cursor_lists_each_object_once_in_order(api, created, order):
    found = walk(api, "/customers", limit=77, order_by=order)
    field = order.lstrip("-")
    stamps = {row["key"]: row[field] for row in created}
    assert sorted(found) == sorted(keys(created))
    assert [stamps[key] for key in found] == sorted(stamps.values(), reverse=order.startswith("-"))


def test_the_last_page_has_no_more(api, created):
    page = api.get("/customers", limit=5, starting_after=created[-6]["key"])
    assert keys(page["items"]) == keys(created[-5:])
    assert page["has_more"] is False


def test_after_the_last_object_comes_an_empty_page(api, created):
    assert api.get("/customers", starting_after=created[-1]["key"])["items"] == []


def test_ending_before_gives_the_page_before(api, created):
    page = api.get("/customers", limit=5, ending_before=created[20]["key"])
    assert keys(page["items"]) == keys(created[15:20])
    assert page["has_more"] is True
    assert api.get("/customers", limit=5, ending_before=created[5]["key"])["has_more"] is False


def test_the_two_cursors_exclude_each_other(api, created):
    one, other = created[3]["key"], created[9]["key"]
    assert api.refused("GET", "/customers", starting_after=one, ending_before=other)[0] == 400


def test_a_new_object_does_not_shift_the_following_pages(sandbox, api, created):
    first = api.keys("/customers", limit=5)
    sandbox.create("customers")
    assert api.keys("/customers", limit=5, starting_after=first[-1]) == keys(created[5:10])


@pytest.mark.parametrize("inclusive", [True, False])
def test_bounds_on_created_at_include_the_moment_or_not(sandbox, api, created, inclusive):
    sandbox.behaviour.inclusive_bounds = inclusive
    low, high = created[30]["created_at"], created[9]["created_at"]
    expected = [
        row["key"]
        for row in created
        if low < row["created_at"] < high or (inclusive and row["created_at"] in (low, high))
    ]
    assert api.keys("/customers", limit=250, min_created=low, max_created=high) == expected


@pytest.mark.parametrize("field", ["created", "updated"])
@pytest.mark.parametrize("side", ["min", "max"])
@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("away", [-1, 0, 1])
def test_a_bound_is_exact_to_the_millisecond(sandbox, api, field, side, inclusive, away):
    """One object, and a bound on its moment or a millisecond beside it."""
    sandbox.behaviour.inclusive_bounds = inclusive
    alone = sandbox.create("customers", created_at=1_900_000_000_000, updated_at=1_900_000_000_000)
    others = {"max": "min", "min": "max"}[side]
    query = {f"{side}_{field}": 1_900_000_000_000 + away}
    query[f"{others}_{field}"] = 1_900_000_000_000 + (100 if side == "min" else -100)
    within = away < 0 if side == "min" else away > 0
    expected = [alone["key"]] if within or (inclusive and away == 0) else []
    assert api.keys("/customers", **query) == expected


@pytest.mark.parametrize("rank", [100, 297], ids=["many", "few"])
def test_bounds_on_updated_at_leave_the_order_by_creation(api, created, rank):
    low = sorted(row["updated_at"] for row in created)[rank]
    expected = [row["key"] for row in created if row["updated_at"] >= low]
    assert api.keys("/customers", limit=250, min_updated=low) == expected


def test_bounds_on_updated_at_can_change_the_order(sandbox, api, created):
    sandbox.behaviour.order_under_updated = "updated_at"
    low = sorted(row["updated_at"] for row in created)[200]
    items = api.items("/customers", limit=250, min_updated=low)
    stamps = [item["updated_at"] for item in items]
    assert stamps == sorted(stamps, reverse=True)
    assert min(stamps) == low


def test_transactions_have_no_bounds_on_updated_at(sandbox, api):
    assert api.refused("GET", "/transactions", min_updated=1)[0] == 400
    sandbox.behaviour.unknown_parameters = "empty"
    assert api.items("/transactions", limit=250, min_updated=1) == []


def test_a_wrong_order_is_refused(api):
    status, message = api.refused("GET", "/transactions", order_by="amount")
    assert (status, message) == (400, "'amount' is not one of ['created_at', '-created_at']")


def test_the_cursor_of_a_transaction_is_the_callers_own_key(api):
    api.post(
        "/transactions", customer_email="customer1@customers.example", amount=1, currency="USD", key="a/b c&d"
    )
    assert api.keys("/transactions", limit=1) == ["a/b c&d"]
    assert len(api.keys("/transactions", limit=250, starting_after="a/b c&d")) == 20


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("404", 404), ("400", 400), ("empty", []), ("first_page", slice(0, 5)), ("works", slice(10, 15))],
)
def test_the_cursor_of_a_removed_object(sandbox, api, created, answer, expected):
    sandbox.behaviour.deleted_cursor = answer
    sandbox.remove("customers", created[9]["key"])
    query = {"limit": 5, "starting_after": created[9]["key"]}
    if isinstance(expected, int):
        assert api.refused("GET", "/customers", **query)[0] == expected
    else:
        assert api.keys("/customers", **query) == (keys(created[expected]) if expected else [])


def test_the_cursor_of_an_archived_object_still_works(api, created):
    api("DELETE", f"/customers/{created[9]['key']}")
    assert api.keys("/customers", limit=5, starting_after=created[9]["key"]) == keys(created[10:15])


def test_customers_have_a_total_and_transactions_have_none(api):
    assert api.get("/customers")["total"] == 300
    assert "total" not in api.get("/transactions")


@pytest.mark.parametrize(
    ("total", "expected"), [("always", {"total": 20}), ("never", {}), ("null", {"total": None})]
)
def test_total_can_be_everywhere_nowhere_or_null(sandbox, api, total, expected):
    sandbox.behaviour.total = total
    data = api.get("/transactions")
    assert {name: data[name] for name in data if name == "total"} == expected


def test_a_new_object_can_be_read_after_the_lag_only(sandbox, api, clock):
    sandbox.behaviour.read_lag = 120
    api.customer("late")
    assert api.refused("GET", "/customers/late")[0] == 404
    assert "late" not in [item["customer_key"] for item in api.items("/customers", limit=1)]
    clock.now += 120
    assert api.get("/customers/late")["customer_key"] == "late"
    assert api.items("/customers", limit=1)[0]["customer_key"] == "late"


def test_filters_apply_across_pages(sandbox, created):
    api = ApiClient(sandbox)
    partner_key = created[0]["partner_key"]
    expected = [row["key"] for row in created if row["partner_key"] == partner_key]
    assert walk(api, "/customers", limit=7, partner_key=partner_key) == expected
