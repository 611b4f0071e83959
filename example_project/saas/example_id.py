"""
Sign-up through an identity provider, and the provider itself.

The provider is the same server by its other name, localhost or 127.0.0.1. To a browser it is another site, so
that the visitor's click has to survive the same redirects as with a real provider.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import get_user_model, login
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from django_partnerstack import attribution

from . import billing
from .forms import ExampleIdForm

SALT = "example_id"
STATE = "example_id_state"

#: Seconds for which the provider's code is valid.
LIFETIME = 60

OTHER_NAME = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


def begin(request: HttpRequest) -> HttpResponse:
    """Send the visitor to the provider."""
    # The provider returns the state, and with it the visitor's click, also where no cookie comes along.
    state = request.session[STATE] = attribution.add_to_state(secrets.token_urlsafe(16), request)
    query = urlencode({"return_to": request.build_absolute_uri(reverse("end_example_id")), "state": state})
    name, colon, port = request.get_host().partition(":")
    return redirect(
        f"{request.scheme}://{OTHER_NAME.get(name, name)}{colon}{port}{reverse('example_id')}?{query}"
    )


def authorize(request: HttpRequest) -> HttpResponse:
    """The provider's page, which asks for name and e-mail."""
    return_to = request.GET.get("return_to", "")
    _, colon, port = request.get_host().partition(":")
    hosts = {f"{name}{colon}{port}" for name in OTHER_NAME}
    if not url_has_allowed_host_and_scheme(return_to, {*hosts, request.get_host()}):
        return HttpResponseBadRequest("This site is not registered with Example ID.")
    form = ExampleIdForm(request.POST or None)
    if not form.is_valid():
        return render(request, "saas/example_id.html", {"form": form})
    code = signing.dumps(form.cleaned_data, salt=SALT)
    return redirect(f"{return_to}?{urlencode({'code': code, 'state': request.GET.get('state', '')})}")


def end(request: HttpRequest) -> HttpResponse:
    """Log the returned visitor in. Creates an account if there is none."""
    if request.GET.get("state", "") != request.session.pop(STATE, None):
        messages.error(request, "That took too long. Try again.")
        return redirect("sign_up")
    try:
        identity = signing.loads(request.GET.get("code", ""), salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:
        messages.error(request, "Example ID did not confirm who you are. Try again.")
        return redirect("sign_up")
    login(request, owner_of(identity))
    return redirect("billing")


def owner_of(identity: dict[str, str]) -> Any:
    email = identity["email"].lower()
    owner = get_user_model().objects.filter(username=email).first()
    return owner or billing.sign_up(email=email, password=None, name=identity["name"]).owner
