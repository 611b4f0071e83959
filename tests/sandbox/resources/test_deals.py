"""Documented: docs.partnerstack.com/reference/patch_deals, and the deal routes without ``v2``."""

import pytest

from ..api_client import ApiClient

VALID = {"partner_key": "gstest", "external_key": "d-1", "account_name": "Acme", "amount": 100}


def test_a_deal_of_a_partner_is_created(sandbox, api):
    deal = api.post("/deals", **VALID)
    assert (deal["source"], deal["partner_key"], deal["account_name"]) == ("partner", "gstest", "Acme")
    assert sandbox.effects["test", "deals.create", "d-1"] == 1


def test_a_deal_of_the_vendor_needs_a_group_instead(api):
    group = api.items("/groups")[0]["key"]
    assert api.post("/deals", source="vendor", group_key=group)["group_key"] == group
    assert api.refused("POST", "/deals", {"source": "vendor"}) == (400, "'group_key' is a required property")
    assert api.refused("POST", "/deals", {}) == (400, "'partner_key' is a required property")
    assert api.refused("POST", "/deals", VALID | {"group_key": group})[0] == 400


def test_a_path_takes_the_key_or_the_external_key(api):
    deal = api.post("/deals", **VALID)
    assert api.get("/deals/d-1") == api.get(f"/deals/{deal['key']}") == deal
    assert api.patch("/deals/d-1", stage="won", close_date="2026-01-31")["stage"] == "won"


def test_a_removed_deal_is_archived(sandbox, api):
    api.post("/deals", **VALID)
    assert set(api("DELETE", "/deals/d-1")) == {"message", "status"}
    assert api.items("/deals") == []
    assert api.get("/deals/d-1")["archived"] is True
    assert sandbox.effects["test", "deals.archive", "d-1"] == 1


def test_a_deal_becomes_a_customer(sandbox, api):
    api.post("/deals", **VALID)
    customer = api.post("/deals/d-1/convert", email="a@site.example", customer_key="c-9")
    assert customer["key"].startswith("cus_")
    assert customer["partner_key"] == "gstest"
    assert api.get("/deals/d-1")["customer_key"] == "c-9"
    assert api.keys("/deals", customer_key=["c-9", "c-10"])
    assert sandbox.effects["test", "customers.create", "c-9"] == 1
    assert api.refused("POST", "/deals/d-1/convert", {}) == (400, "'email' is a required property")


def test_files_of_a_deal_are_listed_and_read(sandbox, api):
    deal = api.post("/deals", **VALID)
    sandbox.change("deals", deal["key"], files=[{"key": "file_1", "name": "a.pdf", "field_key": "contract"}])
    assert api.get("/deals/d-1/files")["deal_files"][0]["name"] == "a.pdf"
    assert ApiClient(sandbox, root="/api").get("/deals/d-1/file/file_1")["url"].endswith("file_1")


@pytest.mark.parametrize(
    ("form", "roots"), [("unversioned", ["/api", "/api/v2"]), ("v2", ["/api/v2", "/api"])]
)
def test_assignment_exists_with_v2_or_without(sandbox, api, form, roots):
    sandbox.behaviour.deal_routes = form
    api.post("/deals", **VALID)
    path = f"/deals/d-1/assignment/{api.get('/partnerships/partner1')['key']}/stck_1"
    right, wrong = (ApiClient(sandbox, root=root) for root in roots)
    assert wrong.refused("POST", path)[0] == 404
    assert right.post(path)["partner_key"] == "partner1"
    assert sandbox.effects["test", "deals.assign", "d-1"] == 1
