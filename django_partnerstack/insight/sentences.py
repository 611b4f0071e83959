from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime

from ..conf import conf
from ..models import Attribution, AttributionMethod, OutboxMessage, State
from ..models.mirror import Mode
from .known import MESSAGES, Known, look

NOT_DECIDED = (
    "Nothing was written down here of who sent {key}. It was made at PartnerStack, or before "
    "AttributionMiddleware was there, or outside of a request, without a request or a token for track.signup."
)


def explain(customer_key: str, *, mode: str) -> list[str]:
    """Sentences, in the order of time: what was clicked, decided, told, and what PartnerStack has."""
    known = look(customer_key, mode)
    sentences = [*_decided(known), *_clicks(known), *_told(known), *_messages(known), *_mirrored(known)]
    return [conf.without_keys(sentence) for sentence in (*sentences, *_differs(known))]


def _decided(known: Known) -> Iterator[str]:
    attribution = known.attribution
    if attribution is None:
        yield NOT_DECIDED.format(key=known.customer_key)
    elif attribution.method == AttributionMethod.MANUAL:
        partner = f"credited to the partner {attribution.partner_key}"
        yield f"{known.customer_key} is {partner}. {attribution.reason}"
    else:
        way = attribution.get_method_display()
        when = _when(attribution.bound_at)
        yield f"When {known.customer_key} was made, {when}, {_known_from(attribution, way)}"


def _known_from(attribution: Attribution, way: str) -> str:
    if attribution.method == AttributionMethod.NONE:
        return f"no click was known. {attribution.reason}".rstrip()
    return f"its click was known from {way}."


def _clicks(known: Known) -> Iterator[str]:
    attribution = known.attribution
    if attribution is None or not (attribution.click_id or attribution.partner_key or attribution.unread_key):
        return
    if attribution.method != AttributionMethod.MANUAL or attribution.click_id:
        yield _click("The click", vars(attribution), attribution.clicked_at, attribution.landing_path)
    for earlier in attribution.earlier_clicks:
        at = parse_datetime(earlier.get("at", ""))
        yield f"{_click('An earlier click', earlier, at, earlier.get('path', ''))} The last click counts."


def _click(name: str, click: dict[str, Any], at: datetime | None, path: str) -> str:
    partner_key, unread_key = click.get("partner_key"), click.get("unread_key")
    partner = f"of the partner {partner_key}" if partner_key else "that names no partner"
    if unread_key and not partner_key:
        partner = f"whose partner key cannot be read ({unread_key})"
    parts = [
        f"{name} {click.get('click_id') or 'without an id'} {partner}",
        f"made {_when(at)}" if at else "made at a time that PartnerStack's cookie does not tell",
        f"landed on {path}" if path else "",
        f"came by a link of {click['link_host']}" if click.get("link_host") else "",
    ]
    return f"{', '.join(filter(None, parts))}."


def _told(known: Known) -> Iterator[str]:
    """How PartnerStack is told, or why it is not."""
    for note in known.skipped:
        yield f"The site's source said not to report it: {note.reason}"
    creation = known.creation
    if creation is None:
        if known.at_partnerstack is None:
            yield f"Nothing is queued that creates {known.customer_key} at PartnerStack."
    elif creation.state == State.QUEUED:
        yield "It is queued; the worker decides how PartnerStack is told when it takes it in."
    elif creation.state == State.ORGANIC:
        yield f"It counts as organic, so that PartnerStack is not told of it. {creation.reason}".rstrip()
    elif "xid" in creation.attributed_to:
        yield f"PartnerStack is told by a conversion of the click {creation.attributed_to['xid']}."
    else:
        chosen = "whom the site itself names" if creation.payload.get("partner_key") else "by partner key"
        yield f"PartnerStack is told to credit the partner {known.partner_key}, {chosen}."


def _messages(known: Known) -> Iterator[str]:
    for message in known.messages:
        yield _message(message)
    if known.more:
        yield f"These are the first {MESSAGES} messages; there are {known.more} more."


def _message(message: OutboxMessage) -> str:
    when = f"queued {_when(message.queued_at)}"
    if message.state == State.DELIVERED and message.finished_at:
        when = f"delivered {_when(message.finished_at)}"
    elif message.state != State.QUEUED:
        when = f"{message.get_state_display()}, {when}"
    tried = f", tried {message.attempts} times" if message.attempts > 1 else ""
    reason = f" {message.reason.strip().splitlines()[-1]}" if message.reason.strip() else ""
    return f"{message.operation} {message.subject}: {when}{tried}.{reason}"


def _mirrored(known: Known) -> Iterator[str]:
    customer = known.at_partnerstack
    if customer is None:
        yield "As far as the mirror knows, PartnerStack does not have it."
        return
    partner = (
        f"under the partner {customer.partner_key}" if customer.partner_key else "without naming a partner"
    )
    yield f"PartnerStack has it as {customer.key}, {partner}."
    if customer.archived:
        yield "It is archived there."
    if customer.missing_since:
        yield f"It was no longer found there {_when(customer.missing_since)}."


def _differs(known: Known) -> Iterator[str]:
    """What is not as it should be, between this site and PartnerStack."""
    customer, credited, partnership = known.at_partnerstack, known.partner_key, known.partnership()
    if credited and partnership is None:
        yield (
            f"The mirror knows no partner {credited}. Run partnerstack_sync partnerships; if it stays so, "
            "PartnerStack does not know this partner either."
        )
    if customer is None:
        return
    renamed = partnership is not None and partnership.key == customer.partnership_key
    if credited and customer.partner_key and customer.partner_key != credited and not renamed:
        yield f"They differ: this site credits {credited}, PartnerStack credits {customer.partner_key}."
    if customer.test is not None and customer.test != (known.mode == Mode.TEST):
        kind = "a test customer" if customer.test else "no test customer"
        yield f"PartnerStack says that it is {kind}, and this site is in {known.mode} mode."


def _when(at: datetime) -> str:
    return f"on {localtime(at):%Y-%m-%d at %H:%M %Z}"
