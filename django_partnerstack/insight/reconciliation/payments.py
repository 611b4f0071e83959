"""Comparing payments: those of the site, and what was reported of them, with PartnerStack's transactions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from ...models import Customer, OutboxMessage, State, Transaction
from ...outbox.keys import number_of
from ...outbox.operations import CREATE_TRANSACTION, DELETE_TRANSACTION
from ...outbox.payments.history import void_messages
from . import kinds
from .comparison import ON_THEIR_WAY, PAGE, STUCK, Comparison, LastMessage, seconds
from .kinds import Kind
from .ledger import PAYMENT, MirroredPayment, Reported, SitePayment, batched
from .payment_facts import PaymentFacts, Step, difference_of, in_words, money_of
from .tally import Difference, Money

RESOURCE = "transactions"

#: How long a full sync may take: what it lists so long after its deletion is still there.
LONGEST_FULL_SYNC = timedelta(days=1).total_seconds()


def compare_payments(comparison: Comparison) -> None:
    """Most payments agree, and need no query. The others are compared page by page."""
    doubtful = (each for each in _payments(comparison) if not _is_settled(each, comparison))
    for page in batched(doubtful, PAGE):
        PaymentPage(comparison, page).compare()


def _payments(comparison: Comparison) -> Iterable[PaymentFacts]:
    return (PaymentFacts.of(key, facts) for key, facts in comparison.ledger.read(PAYMENT))


def _is_settled(each: PaymentFacts, comparison: Comparison) -> bool:
    if comparison.is_older(*each.time):
        comparison.tally.agree(kinds.OLDER)
    elif each.is_plainly_there:
        comparison.tally.agree(kinds.AGREES)
    elif each.is_unknown:
        for number in each.present:
            comparison.ledger.remember_unknown(each.there[number])
    else:
        return False
    return True


class PaymentPage:
    """Compares payments, with the same number of queries for any number of them."""

    def __init__(self, comparison: Comparison, page: list[PaymentFacts]) -> None:
        self.comparison = comparison
        self.page = page
        self.steps = self._steps()
        customers = {each.wanted.customer_key for each in page if each.wanted}
        self.organic = comparison.ledger.organic(list(customers))
        self.customer_keys = self._customer_keys()
        self.archived = self._archived()

    def _steps(self) -> dict[str, dict[Step, LastMessage]]:
        """The last message of each step. What a cancelled refund left without effect counts as cancelled."""
        rows = OutboxMessage.objects.using(self.comparison.using).filter(
            mode=self.comparison.mode,
            subject__in=[each.key for each in self.page],
            operation__in=(CREATE_TRANSACTION, DELETE_TRANSACTION),
        )
        columns = ("subject", "operation", "payload", "state", "finished_at", "reason")
        histories: dict[str, list[OutboxMessage]] = {each.key: [] for each in self.page}
        for message in rows.exclude(state=State.SKIPPED).order_by("pk").only(*columns):
            histories[message.subject].append(message)
        return {key: _last_messages(history) for key, history in histories.items()}

    def _customer_keys(self) -> dict[str, str]:
        """PartnerStack's own key of a customer: the site's key, for transactions that do not show it."""
        own = {row.customer for each in self.page for row in each.there.values() if not row.customer_key}
        rows = Customer.objects.using(self.comparison.using).filter(mode=self.comparison.mode, key__in=own)
        return dict(rows.values_list("key", "customer_key")) if own else {}

    def _archived(self) -> set[int]:
        """Rows that PartnerStack itself shows as archived, among those that this site has deleted."""
        deleted = [
            row.pk for each in self.page for row in each.there.values() if row.listed and not row.present
        ]
        rows = Transaction.objects.using(self.comparison.using).filter(pk__in=deleted)
        shown = rows.values_list("pk", "raw") if deleted else ()
        return {pk for pk, raw in shown if raw.get("archived") or raw.get("is_archived")}

    def compare(self) -> None:
        for each in self.page:
            for twin in each.here[1:]:
                text = f"{each.here[0].source} {each.here[0].source_pk} has the same transaction key."
                self._differ(kinds.SOURCE_FAILED, each, text, here=(twin.amount, twin.currency), twin=twin)
            self._compare(each)

    def _compare(self, each: PaymentFacts) -> None:
        messages = self.steps[each.key].values()
        stuck = [message for message in messages if message.state in STUCK]
        if any(message.state in ON_THEIR_WAY for message in messages):
            self._agree(kinds.ON_THEIR_WAY)
        elif stuck:
            row = each.there[max(each.present)] if each.present else None
            self._differ(kinds.NEEDS_ATTENTION, each, stuck[0].in_words, row=row)
        else:
            created = self._done(each, is_deletion=False).keys() | each.there.keys()
            if created:
                self._reported(each, max(created))
            elif each.wanted:
                self._never_reported(each, each.wanted.customer_key)

    def _done(self, each: PaymentFacts, *, is_deletion: bool) -> dict[int, float | None]:
        """The steps that PartnerStack is known to have carried out, and when."""
        done: dict[int, float | None] = {
            number: fact.at
            for (deletes, number), fact in each.reported.items()
            if deletes == is_deletion and fact.at is not None
        }
        for (deletes, number), message in self.steps[each.key].items():
            if deletes == is_deletion and message.state == State.DELIVERED:
                done.setdefault(number, message.at)
        return done

    def _never_reported(self, each: PaymentFacts, customer_key: str) -> None:
        state = self._state(each)
        is_attributed = self.organic.get(customer_key)
        if state == State.CANCELLED:
            self._agree(kinds.CANCELLED)
        elif is_attributed:
            self._differ(kinds.UNATTRIBUTED, each, "A payment of this customer was not reported.")
        elif state == State.ORGANIC or is_attributed is not None:
            self._agree(kinds.ORGANIC)
        elif state == State.WAITING:
            self._differ(kinds.NOT_REPORTED, each, "It waits for its customer, who was never reported.")
        elif each.here:
            self._differ(kinds.NOT_REPORTED, each)

    def _state(self, each: PaymentFacts) -> str:
        """That of the message that reports the payment; empty if there is none."""
        step = self.steps[each.key].get((False, 0))
        return step.state if step else ""

    def _reported(self, each: PaymentFacts, last: int) -> None:
        """``last``: the number of the newest key that the payment has, or had, at PartnerStack."""
        deleted = self._done(each, is_deletion=True)
        present = [number for number in each.there if self._is_present(each, number, deleted)]
        if len(present) > 1:
            first = each.there[min(present)]
            text = f"{first.key} and {each.there[max(present)].key} are both there."
            self._differ(kinds.DUPLICATE, each, text, row=first)
        elif refunded := [number for number in present if number in deleted]:
            self._differ(kinds.NOT_REFUNDED, each, row=each.there[refunded[0]])
        elif last in deleted and each.here and each.has_lost_its_content:
            text = "Its correction was cancelled, so PartnerStack has nothing of it."
            self._differ(kinds.AMOUNT, each, text)
        elif last in deleted:
            self._agree(kinds.REFUNDED)
        elif last not in present:
            self._not_there(each, last)
        else:
            self._content(each, each.there[last])

    def _is_present(self, each: PaymentFacts, number: int, deleted: dict[int, float | None]) -> bool:
        """A row that this site has archived by its deletion is present if a later full sync still saw it."""
        row, at, full_sync = each.there[number], deleted.get(number), self.comparison.full_sync
        if row.present or not row.listed or at is None or full_sync is None or row.pk in self.archived:
            return row.present
        return at + LONGEST_FULL_SYNC < full_sync

    def _not_there(self, each: PaymentFacts, last: int) -> None:
        reported_at = self._done(each, is_deletion=False).get(last)
        row = each.there.get(last)
        if row is None and self.comparison.is_too_new(RESOURCE, reported_at):
            self._agree(kinds.TOO_NEW)
        else:
            text = "It is archived or deleted at PartnerStack." if row else ""
            self._differ(kinds.NOT_THERE, each, text, mirror_pk=row.pk if row else None)

    def _content(self, each: PaymentFacts, row: MirroredPayment) -> None:
        customer_key = row.customer_key or self.customer_keys.get(row.customer, "")
        whole, number = each.reported.get((False, 0)), number_of(row.key)
        pairs: list[tuple[SitePayment | Reported | None, Any, str]] = []
        if number == 0:
            pairs.append((each.wanted, row, customer_key))
        else:
            # The rest after a refund, or a correction, whose content is remembered under the first key.
            pairs.append((each.wanted, whole, whole.customer_key if whole else ""))
            pairs.append((each.reported.get((False, number)), row, customer_key))
        for wanted, found, key in pairs:
            if wanted and found and (kind := difference_of(wanted, found, key)):
                self._differ(kind, each, in_words(kind, wanted, found, key), row=row, there=money_of(found))
                return
        self._agree(kinds.AGREES)

    def _agree(self, reason: str) -> None:
        self.comparison.tally.agree(reason)

    def _differ(
        self,
        kind: Kind,
        each: PaymentFacts,
        detail: str = "",
        *,
        row: MirroredPayment | None = None,
        here: Money | None = None,
        there: Money | None = None,
        twin: SitePayment | None = None,
        mirror_pk: int | None = None,
    ) -> None:
        source = twin or (each.here[0] if each.here else None)
        difference = Difference(
            kind=kind,
            key=each.key,
            detail=detail,
            here=here or each.money,
            there=there or (money_of(row) if row else None),
            source=source.source if source else "",
            source_pk=source.source_pk if source else "",
            mirror_pk=row.pk if row else mirror_pk,
        )
        self.comparison.tally.add(difference)


def _last_messages(history: list[OutboxMessage]) -> dict[Step, LastMessage]:
    void, found = void_messages(history), {}
    for each in history:
        step = each.operation == DELETE_TRANSACTION, number_of(each.payload["key"])
        state = State.CANCELLED if each in void else each.state
        found[step] = LastMessage(each.operation, state, seconds(each.finished_at), each.reason)
    return found
