"""Facts held: docs.partnerstack.com/reference/patch_deals, and the deal routes without ``v2``."""

import pytest

from .asking import Asking

VALID = {"partner_key": "gstest", "external_key": "d-1", "account_name": "Acme", "amount": 100}


def test_a_deal_of_a_partner(sandbox, ask):
    deal = ask.post("/deals", **VALID)
    assert (deal["source"], deal["partner_key"], deal["account_name"]) == ("partner", "gstest", "Acme")
    assert sandbox.effects["test", "deals.create", "d-1"] == 1


def test_a_deal_of_the_vendor_needs_a_group_instead(ask):
    group = ask.items("/groups")[0]["key"]
    assert ask.post("/deals", source="vendor", group_key=group)["group_key"] == group
    assert ask.refused("POST", "/deals", {"source": "vendor"}) == (400, "'group_key' is a required property")
    assert ask.refused("POST", "/deals", {}) == (400, "'partner_key' is a required property")
    assert ask.refused("POST", "/deals", VALID | {"group_key": group})[0] == 400


@pytest.mark.parametrize(
    "wrong",
    [{"amount": 2**31}, {"close_date": "31.01.2026"}, {"stage": "nowhere"}, {"source": "other"}],
    ids=str,
)
def test_limits(ask, wrong):
    assert ask.refused("POST", "/deals", VALID | wrong)[0] == 400


def test_a_path_takes_the_key_or_the_external_key(ask):
    deal = ask.post("/deals", **VALID)
    assert ask.get("/deals/d-1") == ask.get(f"/deals/{deal['key']}") == deal
    assert ask.patch("/deals/d-1", stage="won", close_date="2026-01-31")["stage"] == "won"


def test_a_removed_deal_is_archived(sandbox, ask):
    ask.post("/deals", **VALID)
    assert set(ask("DELETE", "/deals/d-1")) == {"message", "status"}
    assert ask.items("/deals") == []
    assert ask.get("/deals/d-1")["archived"] is True
    assert sandbox.effects["test", "deals.archive", "d-1"] == 1


def test_a_deal_becomes_a_customer(sandbox, ask):
    ask.post("/deals", **VALID)
    customer = ask.post("/deals/d-1/convert", email="a@site.example", customer_key="c-9")
    assert customer["key"].startswith("cus_")
    assert customer["partner_key"] == "gstest"
    assert ask.get("/deals/d-1")["customer_key"] == "c-9"
    assert ask.keys("/deals", customer_key=["c-9", "c-10"])
    assert sandbox.effects["test", "customers.create", "c-9"] == 1
    assert ask.refused("POST", "/deals/d-1/convert", {}) == (400, "'email' is a required property")


def test_form_templates_of_deals_come_as_a_bare_array(ask):
    templates = ask.get("/deals/form-templates")
    assert [template["type"] for template in templates] == ["deal"]
    assert ask.items("/leads/form-templates")[0]["type"] == "lead"
    assert len(ask.items("/form-templates")) == 2
    assert ask.keys("/form-templates", mold_key=templates[0]["key"]) == [templates[0]["key"]]


def test_files(sandbox, ask):
    deal = ask.post("/deals", **VALID)
    sandbox.change("deals", deal["key"], files=[{"key": "file_1", "name": "a.pdf", "field_key": "contract"}])
    assert ask.get("/deals/d-1/files")["deal_files"][0]["name"] == "a.pdf"
    assert Asking(sandbox, root="/api").get("/deals/d-1/file/file_1")["url"].endswith("file_1")


@pytest.mark.parametrize(
    ("form", "roots"), [("unversioned", ["/api", "/api/v2"]), ("v2", ["/api/v2", "/api"])]
)
def test_assignment_is_there_with_v2_or_without(sandbox, ask, form, roots):
    sandbox.behaviour.deal_routes = form
    ask.post("/deals", **VALID)
    path = f"/deals/d-1/assignment/{ask.get('/partnerships/partner1')['key']}/stck_1"
    right, wrong = (Asking(sandbox, root=root) for root in roots)
    assert wrong.refused("POST", path)[0] == 404
    assert right.post(path)["partner_key"] == "partner1"
    assert sandbox.effects["test", "deals.assign", "d-1"] == 1
