from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.messages import ERROR, SUCCESS, WARNING
from django.test import Client

from django_partnerstack.admin.actions.operate import ROWS
from django_partnerstack.models import OutboxLane, OutboxMessage, State

from ..conftest import MESSAGE_ACTIONS, list_url, queue, take

LIST = list_url(OutboxMessage)


@pytest.fixture
def lane(db: None) -> OutboxLane:
    return OutboxLane.objects.create(mode="test", key="customer:shop-account-1", status="open")


@pytest.fixture
def operator(staff: Callable[..., Client]) -> Client:
    return staff("view_outboxmessage", *(f"{action}_outboxmessage" for action in MESSAGE_ACTIONS))


class TestActions:
    @pytest.mark.parametrize(
        ("action", "state", "becomes", "text"),
        [
            ("retry", State.FAILED, State.SCHEDULED, "1 scheduled to be sent now."),
            ("hold", State.SCHEDULED, State.ON_HOLD, "1 put on hold."),
            ("release", State.ON_HOLD, State.SCHEDULED, "1 released."),
            ("cancel", State.ON_HOLD, State.CANCELLED, "1 cancelled."),
        ],
    )
    def test_change_a_message(
        self, operator: Client, lane: OutboxLane, action: str, state: State, becomes: State, text: str
    ) -> None:
        message = queue(state)
        assert take(operator, action, message) == [(SUCCESS, text)]
        message.refresh_from_db()
        assert message.state == becomes

    def test_say_why_a_message_is_not_changed(self, operator: Client, lane: OutboxLane) -> None:
        rows = [queue(State.ON_HOLD), queue(), queue(State.CANCELLED, subject="shop-account-2")]
        [(level, text)] = take(operator, "release", *rows)
        assert level == WARNING
        assert text.startswith(
            "1 released. 2 not changed. customers.update shop-account-1: the message is delivered; "
        )
        assert "customers.update shop-account-2: the message is cancelled; " in text

    def test_say_a_reason_once_for_all_its_messages(self, operator: Client, lane: OutboxLane) -> None:
        rows = [queue(subject=f"shop-account-{number}") for number in range(5)]
        [(_, text)] = take(operator, "retry", *rows)
        assert text == (
            "5 not changed. customers.update shop-account-0, customers.update shop-account-1, "
            "customers.update shop-account-2 and 2 more: the message is delivered; "
            "this action is not possible now."
        )

    def test_that_change_nothing_are_an_error(self, operator: Client, lane: OutboxLane) -> None:
        [(level, text)] = take(operator, "retry", queue())
        assert level == ERROR
        assert text.startswith("1 not changed. customers.update shop-account-1: the message is delivered;")

    def test_change_at_most_two_hundred_messages_at_once(self, operator: Client, lane: OutboxLane) -> None:
        first, *_ = [queue() for _ in range(ROWS + 1)]
        [(_, text)] = take(operator, "retry", first, select_across=1)
        assert "200 not changed" in text
        assert text.endswith("this action is not possible now. 1 not tried: at most 200 rows at once.")

    @pytest.mark.parametrize("action", MESSAGE_ACTIONS)
    def test_need_their_own_permission(
        self, staff: Callable[..., Client], lane: OutboxLane, action: str
    ) -> None:
        message = queue(State.ON_HOLD)
        browser = staff(
            "view_outboxmessage", *(f"{name}_outboxmessage" for name in MESSAGE_ACTIONS if name != action)
        )
        assert f'value="{action}"' not in browser.get(LIST).rendered_content
        take(browser, action, message, confirmed="yes")
        message.refresh_from_db()
        assert message.state == State.ON_HOLD
