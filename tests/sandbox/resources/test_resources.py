"""
What is documented for each resource: the vendor's object, required fields, limits and filters.

docs.partnerstack.com/reference, and objects that vendors have seen.
"""

import re

import pytest

from django_partnerstack.sandbox.resources import RESOURCES

#: Fields to create an object with, fields of the object that the API shows, and names of others.
OBJECTS = {
    "groups": (
        {"name": "Gold Partners!"},
        {"slug": "goldpartners", "default": False, "archived": False},
        "name features",
    ),
    "partnerships": (
        {"partner_key": "ada", "email": "ada@partner.example"},
        {"first_name": "Partner", "team": None, "manager": None, "tags": [], "mdata": {}},
        "stats partner_key group joined_at address tier claimed",
    ),
    "customers": (
        {"customer_key": "c-2", "name": "Ada", "provider_key": "cus_stripe", "partner_key": "gstest"},
        {"customer_key": "c-2", "name": "Ada", "provider_key": "cus_stripe", "test": True},
        "partner_key partnership_key",
    ),
    "transactions": (
        {"amount": 4900, "currency": "USD", "metadata": {"plan": "gold"}},
        {"amount": 4900, "amount_usd": 4900, "metadata": {"plan": "gold"}, "test": True, "archived": False},
        "currency customer customer_key",
    ),
    "actions": (
        {"type": "demo_booked", "value": 2},
        {"type": "demo_booked", "value": 2, "target_type": "customer", "target_key": "c-1"},
        "partnership_key customer external_key",
    ),
    "rewards": (
        {"amount": 500},
        {"amount": 500, "currency": "USD", "reward_status": "hold", "transaction": None},
        "description partnership action invoice",
    ),
    "deals": (
        {"external_key": "d-1", "amount": 100},
        {"external_key": "d-1", "amount": 100, "source": "partner", "meta": {}},
        "account_name stage",
    ),
    "leads": (
        {"external_key": "l-1", "mdata": {"first_name": "Ada"}},
        {"external_key": "l-1", "meta": {}, "mdata": {"first_name": "Ada"}},
        "status amount",
    ),
    "webhooks": ({"events": ["lead.created"]}, {"events": ["lead.created"], "archived": False}, "target_url"),
}


@pytest.mark.parametrize(("name", "resource"), RESOURCES.items(), ids=RESOURCES)
def test_an_object_has_the_vendors_fields(sandbox, api, name, resource):
    api.customer("c-1")
    fields, expected, others = OBJECTS[name]
    created = sandbox.create(name, **fields)
    assert re.fullmatch(rf"{resource.key_prefix}[A-Za-z0-9]{{14}}|transaction-0", created["key"])
    assert {field: created[field] for field in expected} == expected
    assert {*others.split()} <= {*created}
    assert created["created_at"] == created["updated_at"] == 1_800_000_000_000
    assert created in api.items(f"/{name}")


#: A body that is accepted.
VALID = {
    "partnerships": {"email": "a@partner.example"},
    "customers": {"customer_key": "c-2", "email": "a@site.example", "partner_key": "gstest"},
    "transactions": {"customer_external_key": "c-1", "amount": 4900, "currency": "USD", "key": "t-01"},
    "actions": {"type": "demo_booked", "value": 1, "target_type": "customer", "target_key": "c-1"},
    "rewards": {"amount": 500, "description": "Bonus", "target": {"type": "customer", "key": "c-1"}},
    "deals": {"partner_key": "gstest"},
    "leads": {
        "external_key": "l-1",
        "partner_key": "gstest",
        "status": "open",
        "meta": {"first_name": "Ada"},
    },
    "webhooks": {"target_url": "https://site.example/hook/", "events": ["customer.created"]},
}
OPTIONAL = {("transactions", "key"), ("transactions", "customer_external_key")}


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field) for name in VALID for field in VALID[name] if (name, field) not in OPTIONAL],
)
def test_a_field_is_required(api, name, field):
    api.customer("c-1")
    body = {given: value for given, value in VALID[name].items() if given != field}
    assert api.refused("POST", f"/{name}", body) == (400, f"'{field}' is a required property")


#: Wrong values. Each makes the valid body invalid.
WRONG = {
    "partnerships": [{"first_name": "n" * 51}, {"last_name": "n" * 51}],
    "customers": [
        {"email": "a@b"},
        {"email": "nonsense"},
        {"email": "a@" + "b" * 254},
        {"customer_key": "k" * 256},
        {"name": "n" * 101},
        {"name": 7},
        {"meta": []},
    ],
    "transactions": [
        {"amount": 50_000_000_001},
        {"amount": -50_000_000_001},
        {"amount": 49.0},
        {"amount": True},
        {"amount": None},
        {"currency": "US"},
        {"currency": "EURO"},
        {"key": "abc"},
        {"key": "k" * 256},
        {"metadata": {str(number): "v" for number in range(26)}},
        {"metadata": {"n" * 31: "v"}},
        {"metadata": {"n": "v" * 101}},
    ],
    "actions": [{"value": 0}, {"target_type": "deal"}],
    "rewards": [
        {"amount": 100_000_001},
        {"target": {}},
        {"target": {"type": "deal", "key": "x"}},
        {"target": {"type": "customer"}},
    ],
    "deals": [{"amount": 2**31}, {"close_date": "31.01.2026"}, {"stage": "nowhere"}, {"source": "other"}],
    "leads": [{"status": "won"}],
    "webhooks": [{"target_url": "nowhere"}],
}
#: Values just within the limits.
RIGHT = {
    "partnerships": [{"first_name": "n" * 50}],
    "customers": [{"email": "a@bc"}, {"customer_key": "k" * 255}, {"name": "n" * 100}],
    "transactions": [
        {"amount": 0},
        {"amount": -50_000_000_000},
        {"key": "k" * 255},
        {"metadata": {str(number): "v" for number in range(25)}},
        {"metadata": {"n" * 30: "v" * 100}},
        {"metadata": None},
    ],
    "rewards": [{"amount": 100_000_000}],
    "deals": [{"amount": 2**31 - 1}],
    "leads": [{"status": "closed won"}],
}


def cases(table):
    return [
        pytest.param(name, values, id=f"{name} {str(values)[1:32]}")
        for name in table
        for values in table[name]
    ]


@pytest.mark.parametrize(("name", "wrong"), cases(WRONG))
def test_a_value_beyond_a_limit_is_refused(sandbox, api, name, wrong):
    api.customer("c-1")
    assert api.refused("POST", f"/{name}", VALID[name] | wrong)[0] == 400
    assert sandbox.effects.total() == 1


@pytest.mark.parametrize(("name", "right"), cases(RIGHT))
def test_a_value_just_within_the_limits_is_accepted(api, name, right):
    api.customer("c-1")
    assert api.post(f"/{name}", **VALID[name] | right)


CURRENCIES = [
    ("transactions", "XYZ", 400),
    ("transactions", "AUS", 400),
    ("transactions", "isk", 200),
    ("rewards", "XYZ", 400),
    ("rewards", "eur", 200),
]


@pytest.mark.parametrize(("name", "currency", "status"), CURRENCIES)
def test_a_currency_must_be_one_of_iso_4217(api, name, currency, status):
    api.customer("c-1")
    answer = api("POST", f"/{name}", VALID[name] | {"currency": currency})
    assert api.status == status
    if status == 200:
        assert answer["data"]["currency"] == currency.upper()


@pytest.mark.parametrize("name", RESOURCES)
@pytest.mark.parametrize("parameter", ["customerKey", "created_after", "partner"])
def test_an_unknown_filter_never_gives_unfiltered_objects(sandbox, api, name, parameter):
    """A client that mistypes a filter must not act on objects of others."""
    sandbox.create(name)
    assert api.refused("GET", f"/{name}", **{parameter: "x"})[0] == 400
    sandbox.behaviour.unknown_parameters = "empty"
    page = api.get(f"/{name}", **{parameter: "x"})
    assert (page["items"], page["has_more"]) == ([], False)


#: Two objects. Each filter of a resource matches only the first.
PAIRS = {
    "partnerships": ({"approved_status": "pending"}, {"approved_status": "approved"}),
    "customers": (
        {"partner_key": "partner1", "customer_key": "c-1"},
        {"partner_key": "partner2", "customer_key": "c-2"},
    ),
    "actions": (
        {"partner_key": "partner1", "type": "met", "customer": "cus_1"},
        {"partner_key": "partner2", "customer": "cus_2"},
    ),
    "rewards": (
        {"partner_key": "partner1", "reward_status": "paid", "customer": "cus_1"},
        {"partner_key": "partner2", "reward_status": "pending", "customer": "cus_2"},
    ),
    "deals": (
        {"partner_key": "partner1", "customer_key": "c-1"},
        {"partner_key": "partner2", "customer_key": "c-2"},
    ),
    "leads": (
        {"partner_key": "partner1", "customer_key": "c-1"},
        {"partner_key": "partner2", "customer_key": "c-2"},
    ),
}
#: What to filter by, from the wanted object and its partnership, if not by a field of the same name.
WANTED = {
    "group": lambda found, partner: partner["group"]["slug"],
    "group_key": lambda found, partner: partner["group"]["key"],
    "customer_key": lambda found, partner: "c-1",
    "deal_key": lambda found, partner: found["external_key"],
    "lead_key": lambda found, partner: found["key"],
    "partnership_key": lambda found, partner: partner["key"],
    "action_type": lambda found, partner: found["type"],
    "status": lambda found, partner: found["reward_status"],
}
FILTERS = [
    (name, filter_name)
    for name, resource in RESOURCES.items()
    for filter_name in resource.filters
    if filter_name != "include_archived"
]


@pytest.mark.parametrize("form", ["alone", "repeated", "joined"])
@pytest.mark.parametrize(("name", "filter_name"), FILTERS)
def test_a_filter_finds_the_matching_objects_only(sandbox, api, name, filter_name, form):
    """One value, the same parameter twice, or values that are joined with a comma."""
    for number in (1, 2) if name != "customers" else ():
        sandbox.create("customers", key=f"cus_{number}", customer_key=f"c-{number}")
    groups = [group["key"] for group in api.items("/groups")]
    for number, partner_key in enumerate(("partner1", "partner2")):
        sandbox.change("partnerships", partner_key, group_key=groups[number])
    wanted, other = (
        sandbox.create(name, **fields, **({"group_key": group} if name == "partnerships" else {}))
        for fields, group in zip(PAIRS[name], groups, strict=True)
    )
    partner = wanted if name == "partnerships" else api.get("/partnerships/partner1")
    value = WANTED[filter_name](wanted, partner) if filter_name in WANTED else wanted[filter_name]
    nobody = "declined" if filter_name == "approved_status" else "nobody"
    sent = {"alone": value, "repeated": [nobody, value], "joined": f"{nobody},{value}"}[form]
    found = api.keys(f"/{name}", limit=250, **{filter_name: sent})
    assert wanted["key"] in found
    assert other["key"] not in found
