"""Comparing customers: whether PartnerStack has them, under which partner, and which are organic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...models import Attribution, AttributionMethod, LaneStatus, OutboxLane, Partnership, State
from ...outbox.operations import SAVE_CUSTOMER, creating_customers
from ...outbox.queue.new_message import customer_lane
from ...outbox.queue.sequencing.customer_creation import creation_of
from . import kinds
from .comparison import ON_THEIR_WAY, PAGE, STUCK, Comparison, LastMessage, seconds
from .kinds import Kind
from .ledger import CUSTOMER, Fact, Identified, MirroredCustomer, OrganicLane, SiteCustomer, batched
from .tally import Difference

RESOURCE = "customers"


@dataclass(frozen=True)
class CustomerFacts:
    """What both sides have under a customer key."""

    key: str
    here: list[SiteCustomer] = field(default_factory=list)
    there: list[MirroredCustomer] = field(default_factory=list)
    is_identified: bool = False
    is_organic: bool = False

    @classmethod
    def of(cls, key: str, facts: Iterable[Fact]) -> CustomerFacts:
        facts = list(facts)
        return cls(
            key,
            [fact for fact in facts if isinstance(fact, SiteCustomer)],
            [fact for fact in facts if isinstance(fact, MirroredCustomer)],
            any(isinstance(fact, Identified) for fact in facts),
            any(isinstance(fact, OrganicLane) for fact in facts),
        )

    @property
    def present(self) -> list[MirroredCustomer]:
        return [each for each in self.there if each.present]

    @property
    def is_known(self) -> bool:
        return bool(self.here or self.is_identified)

    @property
    def payload(self) -> dict[str, str]:
        """As much of the content of its message as decides about its attribution."""
        return {"partner_key": self.here[0].partner_key} if self.here else {}


def compare_customers(comparison: Comparison) -> None:
    groups = (CustomerFacts.of(key, facts) for key, facts in comparison.ledger.read(CUSTOMER))
    for page in batched(groups, PAGE):
        CustomerPage(comparison, page).compare()


class CustomerPage:
    """Compares customers, with the same number of queries for any number of them."""

    def __init__(self, comparison: Comparison, page: list[CustomerFacts]) -> None:
        self.comparison = comparison
        self.page = page
        self.attributions = self._attributions()
        absent = [each.key for each in page if each.here and not each.present]
        self.lanes = self._lanes(absent)
        operations = (SAVE_CUSTOMER, *creating_customers())
        #: The last message that creates the customer.
        self.creations = {
            key: LastMessage(operation, state, seconds(at), reason)
            for key, operation, state, at, reason in comparison.messages(
                absent, operations, "operation", "state", "finished_at", "reason"
            )
        }
        self.partnerships = self._partnerships()

    def _attributions(self) -> dict[str, Attribution]:
        known = [each.key for each in self.page if each.is_known]
        rows = Attribution.objects.using(self.comparison.using)
        return rows.of_customers(self.comparison.mode, known) if known else {}

    def _lanes(self, keys: Sequence[str]) -> dict[str, str]:
        if not keys:
            return {}
        rows = OutboxLane.objects.using(self.comparison.using).filter(
            mode=self.comparison.mode, key__in=[customer_lane(key) for key in keys]
        )
        return dict(rows.values_list("key", "status"))

    def _partnerships(self) -> dict[str, str]:
        """partner key: PartnerStack's own key of the partner, for those that seem to differ."""
        wanted = {
            partner
            for each in self.page
            for there in each.present[:1]
            if (partner := self._partner(each)) and there.partner_key not in ("", partner)
        }
        rows = Partnership.objects.using(self.comparison.using).filter(
            mode=self.comparison.mode, partner_key__in=wanted
        )
        return dict(rows.values_list("partner_key", "key")) if wanted else {}

    def compare(self) -> None:
        for each in self.page:
            self._compare(each)

    def _compare(self, each: CustomerFacts) -> None:
        for twin in each.here[1:]:
            text = f"{each.here[0].source} {each.here[0].source_pk} has the same customer key."
            self._differ(kinds.SOURCE_FAILED, each, text, twin)
        if each.present and not each.is_known:
            self._unknown(each, each.present[0])
        elif each.present:
            self._present(each, each.present[0])
        elif each.here:
            self._absent(each)

    def _unknown(self, each: CustomerFacts, there: MirroredCustomer) -> None:
        if self.comparison.is_older(there.at):
            self._agree(kinds.OLDER)
        elif self.comparison.is_of_another_site(each.key):
            self._agree(kinds.OTHER_SITE)
        else:
            self._differ(kinds.NOT_HERE, each)

    def _present(self, each: CustomerFacts, there: MirroredCustomer) -> None:
        partner = self._partner(each)
        if self.comparison.is_older(there.at):
            self._agree(kinds.OLDER)
        elif each.is_organic:
            self.comparison.ledger.remember_organic(each.key, is_attributed=True)
            named = f" under the partner {there.partner_key}" if there.partner_key else ""
            self._differ(kinds.UNATTRIBUTED, each, f"PartnerStack has the customer{named}.")
        elif partner and not self._is_partner(partner, there):
            text = f"PartnerStack has {there.partner_key}, this site {partner}."
            self._differ(kinds.PARTNER, each, text)
        else:
            self._agree(kinds.AGREES)

    def _partner(self, each: CustomerFacts) -> str:
        """The partner that this site attributes the customer to; empty if it has none or does not know."""
        attribution = self.attributions.get(each.key)
        attributed = attribution.partner_key if attribution else ""
        if attribution is not None and attribution.method == AttributionMethod.MANUAL:
            return attributed
        return each.payload.get("partner_key") or attributed

    def _is_partner(self, partner: str, there: MirroredCustomer) -> bool:
        """A partner key can be changed; PartnerStack's own key of the partner stays."""
        if there.partner_key in ("", partner) or there.partnership_key == partner:
            return True
        return bool(there.partnership_key) and self.partnerships.get(partner) == there.partnership_key

    def _absent(self, each: CustomerFacts) -> None:
        """PartnerStack does not have the customer."""
        creation = self.creations.get(each.key)
        state = creation.state if creation else ""
        lane = self.lanes.get(customer_lane(each.key), "")
        if state in ON_THEIR_WAY:
            self._agree(kinds.ON_THEIR_WAY)
        elif state in STUCK or (lane == LaneStatus.BLOCKED and not state):
            self._differ(kinds.NEEDS_ATTENTION, each, creation.in_words if creation else "")
        elif lane == LaneStatus.ORGANIC or (not lane and not self._would_be_reported(each)):
            self._organic(each)
        elif state == State.CANCELLED:
            self._agree(kinds.CANCELLED)
        elif state == State.DELIVERED or lane == LaneStatus.OPEN or each.there:
            self._not_there(each, creation.at if creation else None)
        else:
            self._differ(kinds.NOT_REPORTED, each)

    def _would_be_reported(self, each: CustomerFacts) -> bool:
        return bool(creation_of(each.payload, self.attributions.get(each.key)).operation)

    def _organic(self, each: CustomerFacts) -> None:
        clue = self._clue(each)
        self.comparison.ledger.remember_organic(each.key, is_attributed=bool(clue))
        if clue:
            self._differ(kinds.UNATTRIBUTED, each, clue)
        else:
            self._agree(kinds.ORGANIC)

    def _clue(self, each: CustomerFacts) -> str:
        """Who may have referred an organic customer."""
        if partner := self._partner(each):
            return f"This site knows the partner {partner}."
        attribution = self.attributions.get(each.key)
        if attribution is None:
            return ""
        if attribution.click_id:
            return f"This site knows the click {attribution.click_id}."
        return "The partner key of a click could not be read." if attribution.unread_key else ""

    def _not_there(self, each: CustomerFacts, reported_at: float | None) -> None:
        if not each.there and self.comparison.is_too_new(RESOURCE, reported_at):
            self._agree(kinds.TOO_NEW)
        elif self.comparison.is_older(reported_at):
            self._agree(kinds.OLDER)
        else:
            text = "It is archived or deleted at PartnerStack." if each.there else ""
            self._differ(kinds.NOT_THERE, each, text)

    def _agree(self, reason: str) -> None:
        self.comparison.tally.agree(reason, is_payment=False)

    def _differ(
        self, kind: Kind, each: CustomerFacts, detail: str = "", here: SiteCustomer | None = None
    ) -> None:
        here = here or (each.here[0] if each.here else None)
        difference = Difference(
            kind=kind,
            key=each.key,
            is_payment=False,
            detail=detail,
            source=here.source if here else "",
            source_pk=here.source_pk if here else "",
            mirror_pk=each.there[0].pk if each.there else None,
        )
        self.comparison.tally.add(difference)
