"""Documented: docs.partnerstack.com/reference/post_partnerships-1 and the vendor's list page."""


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


def test_fields_are_written_by_api_name(api):
    partner = api.post(
        "/partnerships", email="a@partner.example", fields=[{"api_name": "region", "value": "north"}]
    )
    assert partner["mdata"] == {"region": "north"}


def test_the_number_of_customers_is_in_the_stats(sandbox, api):
    api.customer()
    sandbox.create("customers", partner_key="gstest")
    assert api.get("/partnerships/gstest")["stats"]["CUSTOMER_COUNT"] == 2


def test_a_partner_has_links(api):
    (link,) = api.items("/links/partnership/gstest")
    assert {"key", "dest", "url"} <= set(link)
    assert api.refused("GET", "/links/partnership/nobody")[0] == 404
