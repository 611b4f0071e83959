"""Documented: docs.partnerstack.com/reference/post_leads-1 and patch_leads."""

VALID = {
    "external_key": "l-1",
    "partner_key": "gstest",
    "status": "open",
    "meta": {"first_name": "Ada", "last_name": "Lovelace"},
}


def test_only_the_partner_can_be_required(sandbox, api):
    sandbox.behaviour.lead_requires = "partner_key"
    assert api.post("/leads", partner_key="gstest")["status"] == "open"


def test_a_lead_has_its_custom_data(sandbox, api):
    lead = api.post("/leads", **VALID)
    assert lead["meta"] == {}
    assert lead["mdata"] == VALID["meta"]
    assert sandbox.effects["test", "leads.create", "l-1"] == 1


def test_the_external_key_is_unique(api):
    api.post("/leads", **VALID)
    assert api.refused("POST", "/leads", VALID)[0] == 409


def test_a_status_may_have_a_space(api):
    api.post("/leads", **VALID)
    assert api.patch("/leads/l-1", status="closed won")["status"] == "closed won"
    assert api.refused("PATCH", "/leads/l-1", {"status": "won"})[0] == 400


def test_a_lead_becomes_a_customer(api):
    api.post("/leads", **VALID)
    assert api.post("/leads/l-1/convert", email="a@site.example")["partner_key"] == "gstest"


def test_a_removed_lead_is_archived(sandbox, api):
    api.post("/leads", **VALID)
    api("DELETE", "/leads/l-1")
    assert api.items("/leads") == []
    assert sandbox.effects["test", "leads.archive", "l-1"] == 1
