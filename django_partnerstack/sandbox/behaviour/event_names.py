"""The events that webhooks can subscribe to."""

from __future__ import annotations

#: In both spellings that PartnerStack uses. Those of transactions, rewards and actions are known from the
#: partners' postbacks; whether vendors can subscribe to them is not documented.
EVENTS = tuple(
    f"{noun}{separator}{verb}"
    for separator in "._"
    for noun, verbs in {
        "agreement": "accepted",
        "application": "created updated approved declined",
        "partnership": "created updated deleted archived group_updated tags_updated",
        "customer": "created updated deleted archived",
        "deal": "created updated deleted archived",
        "lead": "created updated deleted archived",
        "partner_team": "created updated member_added",
        "transaction": "created updated deleted",
        "reward": "created updated",
        "action": "created updated deleted archived",
    }.items()
    for verb in verbs.split()
)
