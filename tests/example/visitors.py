"""Visitors of the example site over HTTP, without a browser and in a browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

import requests


class Visitor:
    """Follows links, submits forms and keeps cookies. Runs no scripts."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False  # Use no proxy between two processes on one machine.

    def open(self, url: str) -> None:
        self._show(self.session.get(url, timeout=10))

    def follow(self, text: str) -> None:
        [address] = re.findall(rf'<a [^>]*href="([^"]*)"[^>]*>{text}</a>', self.text)[:1]
        self.open(urljoin(self.url, address))

    def send(self, button: str, **fields: str) -> None:
        """Fill in the form with this button, and submit it."""
        forms = re.findall(r"<form(.*?)>(.*?)</form>", self.text, re.DOTALL)
        [(attributes, form)] = [form for form in forms if f">{button}</button>" in form[1]]
        action = re.findall(r'action="([^"]*)"', attributes)
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
        url = urljoin(self.url, action[0] if action else "")
        self._show(self.session.post(url, {**dict(hidden), **fields}, timeout=10))

    def _show(self, page: requests.Response) -> None:
        assert page.status_code == 200, page.text
        self.url, self.text = page.url, page.text


class Chromium:
    """The same in a real browser."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)

    def follow(self, text: str) -> None:
        self._click(self.driver.find_element("link text", text))

    def send(self, button: str, **fields: str) -> None:
        pressed = self.driver.find_element("xpath", f"//button[text()='{button}']")
        form = pressed.find_element("xpath", "ancestor::form")
        for name, value in fields.items():
            field = form.find_element("name", name)
            field.clear()
            field.send_keys(value)
        self._click(pressed)

    @property
    def text(self) -> str:
        return self.driver.page_source

    def wait_for(self, condition: Callable[[Any], object]) -> None:
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.driver, 10).until(condition)

    def _click(self, element: Any) -> None:
        """Click, and wait for the next page."""
        from selenium.webdriver.support.expected_conditions import staleness_of

        element.click()
        self.wait_for(staleness_of(element))
        self.wait_for(lambda driver: driver.execute_script("return document.readyState") == "complete")


#: Lets Chromium run as root, in a container, and without connections of its own.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1100,900",
)


def missing() -> str:
    """The programs that are missing to control Chromium; empty if none is."""
    names = ("chromium", "chromedriver")
    try:
        import selenium  # noqa: F401
    except ModuleNotFoundError:
        names = ("selenium", *names)
    return ", ".join(name for name in names if name == "selenium" or shutil.which(name) is None)


@contextmanager
def chromium(profile: str) -> Iterator[Chromium]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    driver.implicitly_wait(10)
    try:
        yield Chromium(driver)
    finally:
        driver.quit()
