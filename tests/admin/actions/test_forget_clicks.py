"""Forgetting a customer by clicks, in a browser, on a wide and on a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from django_partnerstack.models import Customer
from tests.example.visitors import Chromium, chromium, missing
from tests.outbox.site import Site, account

from ..conftest import list_url

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}"),
]


@pytest.fixture(params=[(1400, "light"), (400, "light"), (1400, "dark"), (400, "dark")], ids=str)
def visitor(request: Any, live_server: Any, tmp_path: Path) -> Iterator[Chromium]:
    width, scheme = request.param
    browser = Browser()
    browser.force_login(User.objects.create_superuser("boss"))
    with chromium(str(tmp_path / "profile")) as visitor:
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        visitor.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        visitor.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        visitor.open(f"{live_server.url}/admin/login/")
        visitor.driver.add_cookie({"name": "sessionid", "value": browser.cookies["sessionid"].value})
        visitor.name = f"{width}-{scheme}"  # type: ignore[attr-defined]
        yield visitor


def test_a_customer_is_forgotten_after_a_confirmation(visitor: Any, live_server: Any, tmp_path: Path) -> None:
    site, driver = Site(), visitor.driver
    ada = account(email="ada@customers.example", name="Ada")
    site.push()
    visitor.open(f"{live_server.url}{list_url(Customer)}")
    driver.find_element("css selector", "input.action-select").click()
    driver.find_element("css selector", "select[name=action] option[value=forget]").click()
    visitor._click(driver.find_element("css selector", ".actions button, .actions input[type=submit]"))
    assert "ada@customers.example" in visitor.text
    assert "anonymised, then archived" in visitor.text
    width = driver.execute_script("return window.innerWidth")
    driver.save_screenshot(str(tmp_path / f"forget-{visitor.name}.png"))
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    visitor._click(driver.find_element("css selector", ".submit-row input[type=submit]"))
    assert f"Customer shop-account-{ada.pk} is forgotten." in visitor.text
    assert "ada@customers.example" not in visitor.text
    driver.save_screenshot(str(tmp_path / f"forgotten-{visitor.name}.png"))
    log = [each["message"] for each in driver.get_log("browser") if "favicon.ico" not in each["message"]]
    assert log == []
