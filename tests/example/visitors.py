"""Visitors of the example site over HTTP, without a browser and in a browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

import requests

#: How long a page may take. Only a machine with more to do than it can needs more than one second.
SECONDS = 60


class Visitor:
    """Follows links, submits forms and keeps cookies. Runs no scripts."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False  # Use no proxy between two processes on one machine.

    def open(self, url: str) -> None:
        self._show(self.session.get(url, timeout=SECONDS))

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
        self._show(self.session.post(url, {**dict(hidden), **fields}, timeout=SECONDS))

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

    def wait_for(self, script: str) -> None:
        """
        Wait until a script returns true on the page.

        While the browser changes to the next page, the driver has no page to ask, which is an error of many
        kinds. A page that never comes is an error after the wait.
        """
        from selenium.common.exceptions import WebDriverException
        from selenium.webdriver.support.wait import WebDriverWait

        wait = WebDriverWait(self.driver, SECONDS, ignored_exceptions=[WebDriverException])
        wait.until(lambda driver: driver.execute_script(f"return {script}"))

    def _click(self, element: Any) -> None:
        """Click, and wait for the next page. Only this page has the mark."""
        self.driver.execute_script("window.isLeft = true")
        element.click()
        self.wait_for("!window.isLeft && document.readyState === 'complete'")


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
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    driver.implicitly_wait(SECONDS)
    try:
        yield Chromium(driver)
    finally:
        driver.quit()
