"""
Each question of an operator is answered in at most two clicks from the overview, or by one command.

One browser asks all of them under a strict Content-Security-Policy. A question is an entry of QUESTIONS.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from django_partnerstack.insight.report.period import months
from django_partnerstack.models import (
    Attempt,
    AttemptKind,
    AttemptOutcome,
    LaneStatus,
    OutboxLane,
    OutboxMessage,
    State,
    SyncState,
    ThrottleState,
    WebhookEvent,
    Worker,
)
from tests.admin.conftest import queue
from tests.csp import POLICY
from tests.example.visitors import Chromium, chromium, missing
from tests.insight.report.conftest import customer, partner, payment, reward, sign_up

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}"),
    pytest.mark.xdist_group("browser"),
]

OVERVIEW = "/admin/partnerstack/"
REPORT = f"{OVERVIEW}partnership/report/"


@dataclass(frozen=True)
class Question:
    """
    ``clicks``: the texts of links and buttons, from the overview. ``answer``: what the page then shows.

    ``then``: what is true afterwards.
    """

    question: str
    clicks: tuple[str, ...]
    answer: tuple[str, ...]
    then: Callable[[], bool] = field(default=lambda: True)


def nothing_failed() -> bool:
    return not OutboxMessage.objects.filter(state=State.FAILED).exists()


QUESTIONS = (
    Question("Is it working right now?", (), ("Status", "Needs attention")),
    Question("Are we on test keys?", (), ("test mode",)),
    Question("What is stuck?", ("To be sent",), ("scheduled",)),
    Question(
        "What did we send, when, and what came back?",
        ("Outbox messages", "transactions.create"),
        ("400", "POST /transactions"),
    ),
    Question(
        "Why has this customer no partner?",
        ("Attributions", "account-8"),
        ("The visitor has not consented.",),
    ),
    Question(
        "Which partner brought what this month?",
        (f"Top partners, {timezone.localdate():%B %Y}",),
        ("403.00", "4.90", "Sign-ups"),
    ),
    Question("What does this partner bring?", ("ada",), ("This month", "403.00")),
    Question("Which webhooks arrived?", ("Webhook events",), ("partnership.updated",)),
    Question("Can I have it as a file?", ("Customers",), ("Export all as CSV", "account-1")),
    Question("Which payments failed, and why?", ("Show",), ("400 Bad Request",)),
    # The last of all: it mends what the others show.
    Question(
        "Try them all again.", ("Show", "Try all again now"), ("1 scheduled to be sent now.",), nothing_failed
    ),
)


@pytest.fixture
def site() -> None:
    """Two partners with customers and payments, and an outbox in which something failed."""
    now = timezone.now()
    # In the current month, which may have begun just now.
    today = max(now - timedelta(hours=3), months(1)[0].start or now)
    partner("ada", first_name="Ada", email="ada@x.example"), partner("bob")
    for number in range(40):
        name = ["ada", "bob", ""][number % 3]
        when = now - timedelta(days=number * 1.3) if number > 1 else today
        kind = (
            {"reason": "The visitor has not consented."}
            if not name
            else {"clicked_at": when, "method": "link"}
        )
        sign_up(number, "", name, bound_at=when, **kind)
        if name:
            customer(number, name, remote_created_at=when)
            payment(f"payment-{number}", number, 4900 + 1000 * (number > 0), remote_created_at=when)
    payment("payment-yen", 1, 50000, currency="JPY", remote_created_at=today)
    payment("gone", 1, 900, remote_created_at=today, archived=True)
    reward("r1", "ada", 490, remote_created_at=today)
    ThrottleState.objects.create(mode="test")
    OutboxLane.objects.create(mode="test", key="customer:account-4", status=LaneStatus.OPEN)
    Worker.objects.create(mode="test", host="host", seen_at=now)
    for name in ("customers", "transactions"):
        SyncState.objects.create(
            mode="test",
            resource=name,
            completed_at=now,
            full_completed_at=now,
            attempted_at=now,
            test_seen_at=now,
        )
    WebhookEvent.objects.create(
        mode="test",
        event="partnership.updated",
        key="part_ada",
        window=now,
        first_received_at=now,
        last_received_at=now,
        state="done",
    )
    for number in range(60):
        when = now - timedelta(minutes=number * 22)
        message = queue(
            subject=f"account-{number}", lane=f"customer:account-{number}", queued_at=when, finished_at=when
        )
        attempt(message, "failed" if number % 9 == 4 else "delivered", when)
    queue(State.SCHEDULED, subject="account-1", lane="customer:account-1")
    failed = queue(
        State.FAILED,
        "transactions.create",
        subject="payment-4",
        lane="customer:account-4",
        payload={"key": "payment-4", "amount": 4900, "currency": "USD", "customer_external_key": "account-4"},
        reason="POST /transactions: 400 Bad Request",
        attempts=1,
        finished_at=now,
    )
    attempt(failed, "failed", now, status=400, request_line="POST /transactions", answer='{"message": "no"}')


def attempt(message: OutboxMessage, outcome: str, when: Any, **columns: Any) -> None:
    given = {"mode": "test", "kind": AttemptKind.SEND, "number": 1, "started_at": when, "duration": 80}
    Attempt.objects.create(message=message, outcome=AttemptOutcome(outcome), **given, **columns)


@pytest.fixture
def operator(site: None, live_server: Any, tmp_path: Path, settings: Any) -> Iterator[Chromium]:
    # The tests have no keys, which would be a finding of its own.
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_test_x", "sk_test_x"
    browser = Browser()
    browser.force_login(User.objects.create_superuser("boss"))
    assert browser.get(OVERVIEW)["Content-Security-Policy"] == POLICY
    with chromium(str(tmp_path / "profile")) as visitor:
        visitor.driver.implicitly_wait(2)
        visitor.open(f"{live_server.url}/admin/login/")
        visitor.driver.add_cookie({"name": "sessionid", "value": browser.cookies["sessionid"].value})
        yield visitor


def test_every_question_is_answered_in_two_clicks_under_a_strict_policy(
    operator: Chromium, live_server: Any, tmp_path: Path
) -> None:
    for width in (1400, 400):
        for scheme in ("light", "dark"):
            show_as(operator, width, scheme)
            for name, path in (("overview", OVERVIEW), ("report", REPORT)):
                operator.open(f"{live_server.url}{path}")
                look(operator, tmp_path / f"{name}-{width}-{scheme}.png", width)
    show_as(operator, 1400, "light")
    lacks = {each.question: missing_from(operator, live_server.url, each) for each in QUESTIONS}
    assert {question: texts for question, texts in lacks.items() if texts} == {}
    errors = [entry for entry in operator.driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert [entry for entry in errors if "favicon.ico" not in entry["message"]] == []


def missing_from(operator: Chromium, url: str, question: Question) -> list[str]:
    """What the page does not show after the clicks, although it should."""
    assert len(question.clicks) <= 2
    operator.open(f"{url}{OVERVIEW}")
    for text in question.clicks:
        press(operator, text)
    content = operator.driver.find_element("id", "main").text
    # The style sheet of the admin shows some texts in capitals.
    lacks = [text for text in question.answer if text.lower() not in content.lower()]
    return lacks if question.then() else [*lacks, "the effect"]


def press(operator: Chromium, text: str) -> None:
    """Click the first link or button with this text, or in a tile with this label, on the page itself."""
    exact = f"//div[@id='main']//*[self::a or self::button][normalize-space()='{text}']"
    tile = f"//div[@id='content']//li[span[normalize-space()='{text}']]//a"
    part = f"//div[@id='content']//a[starts-with(normalize-space(), '{text}')]"
    for path in (exact, tile, part):
        if found := operator.driver.find_elements("xpath", path):
            operator._click(found[0])
            return
    raise AssertionError(f"There is nothing to click on with the text {text!r}.")


def show_as(operator: Chromium, width: int, scheme: str) -> None:
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    operator.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    operator.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def look(operator: Chromium, picture: Path, width: int) -> None:
    """Take a picture of the whole page, which is not wider than the screen."""
    height = operator.driver.execute_script("return document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    taken = operator.driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
    )
    picture.write_bytes(base64.b64decode(taken["data"]))
    assert operator.driver.execute_script("return document.documentElement.scrollWidth") <= width, (
        picture.name
    )
