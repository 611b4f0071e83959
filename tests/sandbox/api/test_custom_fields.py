"""Values for fields that the account does not have are dropped without an error, as for conversions."""

import pytest

from django_partnerstack.sandbox import TEST_TRACKING_TOKEN


@pytest.mark.parametrize(
    "sent",
    [
        {"meta": {"plan": "gold", "seats": 3}},
        {"field_data": {"plan": "gold", "seats": 3}},
        {"fields": [{"api_name": "plan", "value": "gold"}, {"api_name": "seats", "value": 3}]},
    ],
    ids=lambda sent: next(iter(sent)),
)
def test_only_configured_fields_are_stored(sandbox, api, sent):
    deal = api.post("/deals", partner_key="gstest", external_key="d-1", **sent)
    assert deal["mdata"] == {"plan": "gold"}
    sandbox.behaviour.custom_fields = ("seats",)
    assert api.patch("/deals/d-1", **sent)["mdata"] == {"plan": "gold", "seats": 3}


def test_unknown_meta_of_a_customer_is_dropped_however_it_is_sent(sandbox, api):
    assert api.customer("c-1", meta={"seats": 3})["mdata"] == {}
    assert api.patch("/customers/c-1", meta={"seats": 3})["mdata"] == {}
    body = b'{"xid": "%s", "customer_key": "c-2", "meta": {"seats": 3}}' % sandbox.click("gstest").encode()
    headers = {"Authorization": f"Bearer {TEST_TRACKING_TOKEN}"}
    assert sandbox.handle("POST", "/conversion/xid", headers, body).status == 200
    assert api.get("/customers/c-2")["mdata"] == {}


def test_a_lead_has_the_fields_of_its_form(api):
    names = {"first_name": "Ada", "last_name": "Lovelace"}
    lead = api.post(
        "/leads", external_key="l-1", partner_key="gstest", status="open", meta={**names, "seats": 3}
    )
    assert lead["mdata"] == names


def test_fields_have_the_labels_that_partnerstack_gives_them(api):
    fields = api.customer("c-1", meta={"plan": "gold"})["fields"]
    assert {field["api_name"]: field["name"] for field in fields} == {
        "name": "Customer Name",
        "email": "Email",
        "company_name": "Company Name",
        "website": "Website",
        "phone": "Phone Number",
        "country_iso": "Country",
        "source_type": "Source Type",
        "plan": "Plan",
    }
    assert [field["api_name"] for field in fields if field["required"]] == ["name", "email"]


@pytest.mark.parametrize("fields", [[{"api_name": []}], [{"name": {}}], [{}], [{"value": 1}]])
def test_a_field_without_a_usable_name_is_no_failure_of_the_service(api, fields):
    api.post("/deals", partner_key="gstest", fields=fields)
    assert api.status in (200, 400)


def test_data_can_be_one_level_down(sandbox, api):
    sandbox.behaviour.nested_data = True
    assert api.customer("c-1")["customer"]["customer_key"] == "c-1"
    assert api.get("/partnerships/gstest")["partnership"]["partner_key"] == "gstest"
    assert api.patch("/customers/c-1", name="Ada")["customer"]["name"] == "Ada"
    assert api.keys("/customers")
