"""Collects everything that a site shows, stores and logs, and searches it for the site's keys."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.contrib import admin
from django.core.management import call_command
from django.http import HttpRequest
from django.test import Client as Browser
from django.views.debug import ExceptionReporter

from django_partnerstack.sandbox import TEST_KEYS, TEST_TRACKING_TOKEN

PUBLIC, SECRET = TEST_KEYS
TOKEN = TEST_TRACKING_TOKEN
#: In the URL that receives webhooks.
WEBHOOK_SECRET = "canary-0123456789-0123456789-0123456789"
PAIR = base64.b64encode(f"{PUBLIC}:{SECRET}".encode()).decode().rstrip("=")
#: The keys, the pair as HTTP Basic sends it among them. A part of the public key may be shown.
CANARIES = (SECRET, PAIR, TOKEN, WEBHOOK_SECRET)


class Output:
    """Texts by the place that showed them."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.log = StringIO()

    def add(self, where: str, text: str) -> None:
        self.texts[where] = self.texts.get(where, "") + text

    @property
    def leaks(self) -> list[str]:
        """The places that show a key."""
        everything = {**self.texts, "log": self.log.getvalue()}
        return [where for where, text in everything.items() if any(each in text for each in CANARIES)]

    def listen(self) -> logging.Handler:
        """A handler that collects all log messages with their arguments."""
        handler = logging.StreamHandler(self.log)
        handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)r"))
        return handler

    def attempt(self, where: str, call: Callable[[], Any]) -> bool:
        """Add what a call returns, or its error as every kind of error report shows it."""
        try:
            self.add(where, repr(call()))
        except Exception as error:
            self.error(where, error)
            return False
        return True

    def error(self, where: str, error: Exception) -> None:
        request = HttpRequest()
        request.META = {"SERVER_NAME": "site.example", "SERVER_PORT": "443"}
        page = ExceptionReporter(request, type(error), error, error.__traceback__)
        with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.add(f"{where}: error", f"{error} {error!r} {vars(error)!r}")
        self.add(f"{where}: technical page", page.get_traceback_html() + page.get_traceback_text())
        self.add(f"{where}: locals", "".join(with_locals.format()))

    def command(self, *arguments: str) -> bool:
        """Run a management command and add what it prints. False if it raises an error."""
        out = StringIO()
        name = " ".join(arguments)
        succeeded = self.attempt(name, lambda: call_command(*arguments, stdout=out, stderr=out))
        self.add(name, out.getvalue())
        return succeeded

    def tables(self) -> None:
        out = StringIO()
        call_command("dumpdata", stdout=out)
        self.add("tables", out.getvalue())

    def pages(self, browser: Browser) -> None:
        """Add the admin pages of this app: the list of each model and the page of each object."""
        for model in admin.site._registry:
            if model._meta.app_label == "partnerstack":
                url = f"/admin/partnerstack/{model._meta.model_name}/"
                for path in (
                    url,
                    *(f"{url}{pk}/change/" for pk in model.objects.values_list("pk", flat=True)),
                ):
                    response = browser.get(path)
                    assert response.status_code == 200, path
                    self.add(path, response.content.decode())
