"""Random sequences of requests: whatever clients send, the sandbox answers it and never fails itself."""

import json

from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.sandbox import TEST_KEYS, TEST_TRACKING_TOKEN, Behaviour, Sandbox
from django_partnerstack.sandbox.behaviour.switch_texts import switches
from django_partnerstack.sandbox.resources import RESOURCES

from ..api_client import basic

KEYS = ("c-1", "c-2", "d-1", "gstest", "partner0", "inv_1", "cus_x", "a,b", "ö/…", "", "\ud800", "\x00")
NAMES = sorted(
    {"key", "group", "metadata", "xid", "sub_ids", "events", "target", "fields", "meta", "field_data"}
    | {name for each in RESOURCES.values() for name in each.create_schema.get("properties", ())}
    | {name for each in RESOURCES.values() for name in each.update_schema.get("properties", ())}
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 4900, 2**63, 1.5, float("nan"), 10**400]),
    st.sampled_from(
        [*KEYS, "USD", "a@site.example", "customer", "transaction", "manual", "open", "2025-01-31"]
    ),
)
FIELD = st.fixed_dictionaries({}, optional={"api_name": SCALARS, "name": st.lists(SCALARS), "value": SCALARS})
VALUES = st.one_of(
    SCALARS,
    st.lists(st.one_of(SCALARS, FIELD), max_size=3),
    st.dictionaries(st.sampled_from([*NAMES, "plan", "name", "type"]), SCALARS, max_size=3),
)
GOOD = st.fixed_dictionaries(
    {
        "email": st.just("a@site.example"),
        "customer_key": st.sampled_from(["c-1", "c-2", None]),
        "partner_key": st.just("gstest"),
        "external_key": st.sampled_from(["c-1", "d-1"]),
        "status": st.just("open"),
        "amount": st.just(4900),
        "currency": st.just("USD"),
    }
)
PATHS = st.one_of(
    st.sampled_from(["/", "/v1/actions", "/v1/customers", "/conversion/xid", "/l/gstest", "/%ff/", "//"]),
    st.builds("/api/v2/{}".format, st.sampled_from([each.path for each in RESOURCES.values()])),
    st.builds(
        "{}/{}{}".format,
        st.sampled_from(
            [
                *(f"/api/v2/{each.path}" for each in RESOURCES.values()),
                "/v1/partnerships",
                "/v1/customers",
                "/api/v2/links/partnership",
                "/api/deals",
                "/_control/objects",
            ]
        ),
        st.sampled_from(["c-1", "d-1", "gstest", "inv_1", "customers", "a%2Fb", "%ff", TEST_KEYS[0]]),
        st.sampled_from(["", "/convert", "/transactions", "/files", "/assignment/gstest/stck_1"]),
    ),
)
PARAMETERS = sorted(
    {"limit", "starting_after", "ending_before", "order_by", "min_created", "max_updated", "nothing", "mode"}
    | {name for each in RESOURCES.values() for name in each.filters}
)
QUERIES = st.dictionaries(
    st.sampled_from(PARAMETERS),
    st.sampled_from(["", "1", "-1", "9" * 400, "9" * 5000, "c-1", "a,b", "%00", "%ff", "true", "created_at"]),
    max_size=3,
)
BODIES = st.one_of(
    st.builds(
        lambda good, body: json.dumps({**good, **body}).encode(),
        GOOD,
        st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3),
    ),
    st.builds(lambda value: json.dumps(value).encode(), VALUES),
    st.sampled_from([b"", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 50_000]),
)
REQUESTS = st.tuples(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
    PATHS,
    QUERIES,
    BODIES,
    st.sampled_from(["basic", "bearer"]),
)
HEADERS = {"basic": basic(TEST_KEYS), "bearer": {"Authorization": f"Bearer {TEST_TRACKING_TOKEN}"}}
#: Values of switches other than their defaults.
CHOICES = [
    (switch.name, value)
    for switch in switches()
    for value in (switch.choices.split(", ") if not switch.choices.startswith("a ") else [])
]
CHANGES = st.lists(st.sampled_from(CHOICES), max_size=3)


def set_switches(behaviour: Behaviour, changes: list[tuple[str, str]]) -> None:
    for name, value in changes:
        current = getattr(behaviour, name)
        if isinstance(current, bool):
            setattr(behaviour, name, value == "true")
        elif isinstance(current, str):
            setattr(behaviour, name, value)


@given(CHANGES, st.lists(REQUESTS, min_size=1, max_size=8))
def test_no_sequence_of_requests_makes_the_sandbox_fail(changes, requests):
    sandbox = Sandbox(partnerships=2, customers=2, transactions=2, deals=1, rewards=2, actions=1)
    set_switches(sandbox.behaviour, changes)
    for method, path, query, body, kind in requests:
        target = path + "?" + "&".join(f"{name}={value}" for name, value in query.items())
        reply = sandbox.handle(method, target, HEADERS[kind], body)
        assert reply.status < 500
        if reply.body and reply.headers["Content-Type"] == "application/json":
            json.loads(reply.body)
