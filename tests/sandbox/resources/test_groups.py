"""Documented: docs.partnerstack.com/reference/get_v2-groups."""


def test_groups_can_only_be_listed(api):
    groups = api.items("/groups")
    assert {"key", "name", "slug", "default", "archived", "features", "created_at", "updated_at"} == set(
        groups[0]
    )
    assert api.refused("POST", "/groups", {"name": "New"})[0] == 405
