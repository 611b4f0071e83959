"""The actions that change the selected messages: retry, hold, release and cancel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...exceptions import InvalidTransition, RefundError
from ...models import OutboxMessage
from ...outbox.control import actions
from .selection import left_out, limited, names

#: Limits of a click: messages to change, and reasons of refusals to show.
ROWS, EXPLAINED = 200, 5

Change = Callable[[OutboxMessage], None]


def operate(change: Change, rows: Iterable[OutboxMessage], done: Any, *, over: int = 0) -> tuple[str, int]:
    """
    Change each message. Returns a text and its level.

    ``done``: the text about the messages that were changed, with ``{count}``. ``over``: the number of
    selected rows over the limit.
    """
    count = 0
    refused: dict[str, list[str]] = {}
    for row in rows:
        try:
            change(row)
            count += 1
        except (InvalidTransition, RefundError) as error:
            # Most refusals differ only in the name of the message.
            why = str(error).removeprefix(str(row)).removeprefix(":").strip()
            refused.setdefault(why, []).append(str(row))
    texts = [done.format(count=count)] if count or not refused else []
    if refused:
        texts.append(_("{count} not changed.").format(count=sum(map(len, refused.values()))))
        texts += [f"{names(rows)}: {why}" for why, rows in islice(refused.items(), EXPLAINED)]
    if len(refused) > EXPLAINED:
        texts.append("…")
    texts += [text for _level, text in left_out(over=over, limit=ROWS)]
    level = messages.WARNING if refused or over else messages.SUCCESS
    return " ".join(texts), level if count else messages.ERROR


def action(verb: str, change: Change, description: Any, done: Any) -> Callable[..., None]:

    @admin.action(description=description, permissions=[verb])
    def act(model_admin: Any, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        # In sending order.
        rows, over = limited(queryset.order_by("pk"), ROWS)
        text, level = operate(change, rows, done, over=over)
        model_admin.message_user(request, text, level)

    act.__name__ = verb
    return act


retry = action(
    "retry", actions.retry, gettext_lazy("Try again now"), gettext_lazy("{count} scheduled to be sent now.")
)
hold = action("hold", actions.hold, gettext_lazy("Put on hold"), gettext_lazy("{count} put on hold."))
release = action("release", actions.release, gettext_lazy("Release"), gettext_lazy("{count} released."))
cancel = action("cancel", actions.cancel, gettext_lazy("Cancel"), gettext_lazy("{count} cancelled."))
