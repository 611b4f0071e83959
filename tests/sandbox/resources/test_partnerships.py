"""Documented: docs.partnerstack.com/reference/post_partnerships-1 and the vendor's list page."""

import pytest


def test_a_partnership_is_read_by_any_of_three_keys(api):
    partner = api.get("/partnerships/partner1")
    for name in (partner["key"], "partner1%40partners.example"):
        assert api.get(f"/partnerships/{name}") == partner


def test_only_the_e_mail_is_required(api):
    assert api.refused("POST", "/partnerships", {}) == (400, "'email' is a required property")
    partner = api.post("/partnerships", email="a@partner.example")
    assert partner["partner_key"]
    assert partner["group"]["default"] is True
    assert partner["claimed"] is False


def test_a_partner_key_is_unique(sandbox, api):
    body = {"email": "a@partner.example", "partner_key": "ada"}
    api.post("/partnerships", **body)
    assert api.refused("POST", "/partnerships", body | {"email": "b@partner.example"})[0] == 409
    assert sandbox.effects["test", "partnerships.create", "ada"] == 1


def test_an_update_takes_the_internal_key_unless_more_is_allowed(sandbox, api):
    key = api.get("/partnerships/partner1")["key"]
    assert api.refused("PATCH", "/partnerships/partner1", {"tier_key": "gold"})[0] == 404
    assert api.patch(f"/partnerships/{key}", tier_key="gold")["tier"]["key"] == "gold"
    sandbox.behaviour.partnership_write_paths = ("internal", "external", "email")
    assert api.patch("/partnerships/partner1", tier_key="silver")["tier"]["key"] == "silver"


def test_an_update_moves_a_partnership_to_another_group(sandbox, api):
    group = sandbox.create("groups", name="Gold Partners!")
    key = api.get("/partnerships/partner1")["key"]
    assert api.patch(f"/partnerships/{key}", group_key=group["key"])["group"]["slug"] == "goldpartners"
    assert api.keys("/partnerships", group="goldpartners") == [key]
    assert api.refused("PATCH", f"/partnerships/{key}", {"group_key": "grup_none"})[0] == 404


def test_a_removed_partnership_is_archived_and_listed_on_request_only(sandbox, api):
    key = api.get("/partnerships/partner1")["key"]
    api("DELETE", f"/partnerships/{key}")
    assert key not in api.keys("/partnerships")
    assert key in api.keys("/partnerships", include_archived="true")
    assert sandbox.effects["test", "partnerships.archive", "partner1"] == 1


def test_an_unknown_approved_status_is_refused(api):
    assert api.refused("GET", "/partnerships", approved_status="maybe")[0] == 400


def test_fields_are_written_by_api_name(sandbox, api):
    sandbox.behaviour.custom_fields = ("region",)
    partner = api.post(
        "/partnerships", email="a@partner.example", fields=[{"api_name": "region", "value": "north"}]
    )
    assert partner["mdata"] == {"region": "north"}


def test_stats_count_customers_paid_accounts_revenue_and_commission_in_cents(sandbox, api, live_api):
    live_api.customer("c-1", partner_key="sandboxpartner")
    live_api.customer("c-2", partner_key="sandboxpartner")
    live_api.transaction("t-01", amount=4900)
    live_api.transaction("t-02", amount=1000, currency="EUR")
    live_api.transaction("t-03", amount=-900)
    stats = live_api.get("/partnerships/sandboxpartner")["stats"]
    assert stats == {
        "CUSTOMER_COUNT": 2,
        "PAID_ACCOUNT_COUNT": 1,
        "REVENUE": 4900 + 1100 - 900,
        "COMMISSION_EARNED": 490 + 110,
    }
    assert set(api.get("/partnerships/gstest")["stats"].values()) == {0}


def test_stats_follow_deletions_and_changes_in_the_dashboard(sandbox, live_api):
    live_api.customer("c-1", partner_key="sandboxpartner")
    live_api.transaction("t-01", amount=4900)
    (reward,) = live_api.items("/rewards")
    sandbox.change("rewards", reward["key"], mode="production", reward_status="declined")
    live_api("DELETE", "/transactions/t-01")
    live_api("DELETE", "/customers/c-1")
    assert set(live_api.get("/partnerships/sandboxpartner")["stats"].values()) == {0}


@pytest.mark.parametrize(("missing", "expected"), [("empty", ""), ("null", None)])
def test_the_names_of_a_partner_that_was_created_by_e_mail_alone(sandbox, api, v1_api, missing, expected):
    sandbox.behaviour.missing_names = missing
    partner = api.post("/partnerships", email="a@partner.example")
    assert (partner["first_name"], partner["last_name"]) == (expected, expected)
    assert v1_api("GET", f"/partnerships/{partner['partner_key']}")["rdata"]["last_name"] == expected


def test_the_list_of_links_takes_no_filter(sandbox, api):
    assert api.refused("GET", "/links/partnership/gstest", customer_key="c-1")[0] == 400
    sandbox.behaviour.unknown_parameters = "empty"
    assert api.items("/links/partnership/gstest", customer_key="c-1") == []


def test_a_partner_has_links(api):
    (link,) = api.items("/links/partnership/gstest")
    assert {"key", "dest", "url"} <= set(link)
    assert api.refused("GET", "/links/partnership/nobody")[0] == 404
