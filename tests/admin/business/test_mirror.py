from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import path

from django_partnerstack.admin.business.mirror import GroupAdmin, register_mirrors
from django_partnerstack.client import Record
from django_partnerstack.models import Customer, Group, Mirror, Partnership, Reward
from django_partnerstack.resources import RESOURCES, Resource
from tests.shop.models import Offer

from ..conftest import MIRRORS, list_url, page_url, queries, shown

each_mirror = pytest.mark.parametrize("model", MIRRORS, ids=lambda model: model.__name__)


@each_mirror
def test_a_list_takes_as_many_queries_for_fifty_rows_as_for_two(browser: Client, model: type[Mirror]) -> None:
    def add(count: int) -> None:
        when, start = datetime(2024, 5, 17, tzinfo=timezone.utc), model.objects.count()
        keys = {name: "k0" for name in ("customer_key", "partnership_key") if hasattr(model, name)}
        rows = (model(mode="test", key=f"k{start + i}", remote_created_at=when, **keys) for i in range(count))
        model.objects.bulk_create(rows)

    Partnership.objects.get_or_create(mode="test", key="k0")
    Customer.objects.get_or_create(mode="test", key="k0")
    add(1 if model in (Partnership, Customer) else 2)
    few = queries(browser, list_url(model))
    add(48)
    assert queries(browser, list_url(model)) == few <= 9


@each_mirror
def test_every_list_can_be_searched(browser: Client, model: type[Mirror]) -> None:
    model.objects.create(mode="test", key="wanted")
    model.objects.create(mode="test", key="other")
    assert shown(browser, list_url(model), q="wanted") == ["wanted"]


def test_a_date_narrows_a_list(browser: Client) -> None:
    for year in (2023, 2024):
        Group.objects.create(
            mode="test", key=str(year), remote_created_at=datetime(year, 5, 1, tzinfo=timezone.utc)
        )
    assert shown(browser, list_url(Group), remote_created_at__year="2023") == ["2023"]


@each_mirror
def test_a_page_shows_every_column_of_its_object(browser: Client, model: type[Mirror]) -> None:
    row = model.objects.create(mode="test", key="k", raw={"hello": "world"})
    fields = browser.get(page_url(row)).context["adminform"].fieldsets
    names = {
        getattr(name, "column", getattr(name, "__name__", name))
        for _, how in fields
        for name in how["fields"]
    }
    shown = names | ({"amount", "currency"} if "money" in names else set())
    columns = {field.name for field in model._meta.concrete_fields} - {"id", "archived", "raw"}
    assert columns <= shown


class TestMirrorWithoutAdminClass:
    @pytest.fixture
    def offers(self, admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
        """The list of a declared mirror on a site that has no admin class for it."""
        monkeypatch.setitem(RESOURCES, "offers", Resource(record=Record, model=Offer))
        site = admin.AdminSite()
        register_mirrors(site)
        settings.ROOT_URLCONF = (path("admin/", site.urls),)
        return list_url(Offer)

    def test_has_a_list_and_a_page_with_its_own_columns(self, admin_client: Client, offers: str) -> None:
        row = Offer.objects.create(mode="test", key="offer_1", title="Spring", amount=4900)
        for url in (offers, f"{offers}{row.pk}/change/"):
            html = admin_client.get(url).rendered_content
            assert "offer_1" in html
            assert "Spring" in html
            assert "49.00" in html

    @pytest.mark.parametrize(
        ("words", "found"), [("offer_1", ["offer_1"]), ("ada", ["offer_1"]), ("Spring", [])]
    )
    def test_is_searched_by_its_keys(
        self, admin_client: Client, offers: str, words: str, found: list[str]
    ) -> None:
        Offer.objects.create(mode="test", key="offer_1", title="Spring", partner_key="ada")
        Offer.objects.create(mode="test", key="offer_2")
        assert shown(admin_client, offers, q=words) == found

    @pytest.mark.parametrize(("model", "is_offered"), [(Customer, True), (Group, False), (Offer, False)])
    def test_offers_to_refresh_what_is_readable_by_key(
        self, admin_client: Client, offers: str, model: type[Mirror], is_offered: bool
    ) -> None:
        model.objects.create(mode="test", key="k")
        html = admin_client.get(list_url(model)).rendered_content
        assert ("refresh_from_partnerstack" in html) is is_offered


def test_a_mirror_with_an_admin_class_keeps_it() -> None:
    site = admin.AdminSite()
    site.register(Group, GroupAdmin)
    register_mirrors(site)
    assert type(site.get_model_admin(Group)) is GroupAdmin
    assert set(site._registry) == set(MIRRORS)


def test_rewards_can_be_filtered_by_status(browser: Client) -> None:
    Reward.objects.create(mode="test", key="a", reward_status="paid")
    Reward.objects.create(mode="test", key="b", reward_status="hold")
    assert shown(browser, list_url(Reward), reward_status="hold") == ["b"]
