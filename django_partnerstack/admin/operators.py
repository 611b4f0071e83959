"""What a person may do with the selected messages, and the sentence that says what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..exceptions import InvalidTransition
from ..models import OutboxMessage
from ..outbox.control import actions

#: How many messages one click changes, and for how many of them a message says why not.
ROWS, TOLD = 200, 5

Operator = Callable[[OutboxMessage], None]


def operate(
    operator: Operator, rows: Iterable[OutboxMessage], done: Any, *, over: int = 0
) -> tuple[str, int]:
    """Apply it to each message. Returns one text, with how many were ``done`` and why others were not."""
    count, refused = 0, []
    for row in rows:
        try:
            operator(row)
            count += 1
        except InvalidTransition as error:
            refused.append(str(error))
    texts = [done.format(count=count)] if count or not refused else []
    if refused:
        texts += [_("{count} not changed:").format(count=len(refused)), *refused[:TOLD]]
    if len(refused) > TOLD:
        texts.append("…")
    if over:
        texts.append(_("{over} not tried: at most {rows} at once.").format(over=over, rows=ROWS))
    fine = messages.WARNING if refused or over else messages.SUCCESS
    return " ".join(texts), fine if count else messages.ERROR


def action(verb: str, operator: Operator, description: Any, done: Any) -> Callable[..., None]:
    """An admin action that needs the permission of its verb."""

    @admin.action(description=description, permissions=[verb])
    def act(model_admin: Any, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        over = max(queryset.count() - ROWS, 0)
        # In the order in which they leave.
        text, level = operate(operator, queryset.order_by("pk")[:ROWS], done, over=over)
        model_admin.message_user(request, text, level)

    act.__name__ = verb
    return act


retry = action(
    "retry", actions.retry, gettext_lazy("Try again now"), gettext_lazy("{count} to be sent at once.")
)
hold = action("hold", actions.hold, gettext_lazy("Put on hold"), gettext_lazy("{count} put on hold."))
release = action("release", actions.release, gettext_lazy("Release"), gettext_lazy("{count} released."))
cancel = action("cancel", actions.cancel, gettext_lazy("Cancel"), gettext_lazy("{count} cancelled."))
