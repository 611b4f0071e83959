"""From a registration to the row of a webhook by clicks, in a browser, on a wide and on a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client as Browser

from django_partnerstack.dispatch import jobs
from django_partnerstack.models import Partnership, WebhookEvent
from django_partnerstack.sandbox import Sandbox
from tests.admin.conftest import list_url
from tests.example.visitors import Chromium, chromium, missing
from tests.webhooks.conftest import SECRET

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}"),
]


@pytest.fixture(params=[1400, 400])
def visitor(request: Any, live_server: Any, settings: Any, tmp_path: Path) -> Iterator[Chromium]:
    """An operator who may do everything, with a screen of this width."""
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]
    browser = Browser()
    browser.force_login(User.objects.create_superuser("boss"))
    with chromium(str(tmp_path / "profile")) as visitor:
        screen = {"width": request.param, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        visitor.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        visitor.open(f"{live_server.url}/admin/login/")
        visitor.driver.add_cookie({"name": "sessionid", "value": browser.cookies["sessionid"].value})
        yield visitor


def press(visitor: Chromium, selector: str) -> None:
    visitor._click(visitor.driver.find_element("css selector", selector))


def look(visitor: Chromium, folder: Path, name: str) -> None:
    """Take a picture of the whole page. Nothing is wider than the screen, and no secret is shown."""
    width = visitor.driver.execute_script("return window.innerWidth")
    visitor.driver.save_screenshot(str(folder / f"{name}-{width}.png"))
    assert visitor.driver.execute_script("return document.documentElement.scrollWidth") <= width, name
    assert SECRET not in visitor.text


def test_a_webhook_leads_to_its_row_by_clicks(
    visitor: Chromium, live_server: Any, partnerstack: Sandbox, tmp_path: Path
) -> None:
    partner = partnerstack.create("partnerships", first_name="Ada")
    group = partnerstack.create("groups", name="Gold")
    visitor.open(f"{live_server.url}{list_url(WebhookEvent)}")
    visitor.follow("Endpoints")
    look(visitor, tmp_path, "no-endpoints")
    field = visitor.driver.find_element("id", "site-url")
    field.clear()
    field.send_keys(live_server.url)
    press(visitor, "#site-url + button")
    look(visitor, tmp_path, "confirmation")
    press(visitor, "input.default")
    assert "PartnerStack delivers events to this site." in visitor.text
    look(visitor, tmp_path, "endpoints")

    partnerstack.change("partnerships", partner["key"], group_key=group["key"])
    call_command(
        "partnerstack_webhooks",
        "trigger",
        "partnership.updated",
        f"--key={partner['key']}",
        f"--url={live_server.url}",
    )
    assert jobs.process_webhooks()
    row = Partnership.objects.get(key=partner["key"])
    assert row.group_key == group["key"]

    visitor.open(f"{live_server.url}{list_url(WebhookEvent)}")
    look(visitor, tmp_path, "events")
    visitor.follow(f"partnership.updated {partner['key']}")
    look(visitor, tmp_path, "event")
    visitor.follow(str(row))
    look(visitor, tmp_path, "row")
    assert group["key"] in visitor.text
