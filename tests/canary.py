"""Everything that a site shows, stores and logs, to be searched for its keys."""

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
#: The secret key, the pair as HTTP Basic sends it, and the token. The public key may be seen in part.
CANARIES = (SECRET, base64.b64encode(f"{PUBLIC}:{SECRET}".encode()).decode().rstrip("="), TOKEN)


class Told:
    """What came out, by where it did."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.log = StringIO()

    def add(self, where: str, text: str) -> None:
        self.texts[where] = self.texts.get(where, "") + text

    @property
    def leaks(self) -> list[str]:
        """Where a key is to be seen."""
        everything = {**self.texts, "log": self.log.getvalue()}
        return [where for where, text in everything.items() if any(each in text for each in CANARIES)]

    def listen(self) -> logging.Handler:
        """A handler that keeps all it is given, with the values that a message was made of."""
        handler = logging.StreamHandler(self.log)
        handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)r"))
        return handler

    def attempt(self, where: str, call: Callable[[], Any]) -> bool:
        """Keep what a call returns or raises, the latter as every kind of report shows it."""
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
        """Run a command of ours, and keep what it prints and how it ends."""
        out = StringIO()
        name = " ".join(arguments)

        went_well = self.attempt(name, lambda: call_command(*arguments, stdout=out, stderr=out))
        self.add(name, out.getvalue())
        return went_well

    def tables(self) -> None:
        out = StringIO()
        call_command("dumpdata", stdout=out)
        self.add("tables", out.getvalue())

    def pages(self, browser: Browser) -> None:
        """The list of each of our models, and the page of each object on it."""
        for model in admin.site._registry:
            if model._meta.app_label == "partnerstack":
                at = f"/admin/partnerstack/{model._meta.model_name}/"
                for path in (at, *(f"{at}{pk}/change/" for pk in model.objects.values_list("pk", flat=True))):
                    answer = browser.get(path)
                    assert answer.status_code == 200, path
                    self.add(path, answer.content.decode())
