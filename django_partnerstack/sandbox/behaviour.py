"""
What PartnerStack does where nobody has written down what it does.

Each switch is one open question. Its default is the most plausible answer, and the others are there so
that a site can be shown to survive them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_type_hints

from .switches import Rate, Span, checked


@dataclass(slots=True)
class Behaviour:
    """Set an attribute to change an answer. A wrong name or value raises, saying what is possible."""

    # Creating
    #: What creating an object under a taken key gives; ``accepted`` makes a second one without a word.
    duplicates: Literal["409", "400", "200", "accepted"] = "409"
    #: Whether an e-mail address can be used once only, for customers and for partnerships.
    unique_emails: bool = False
    #: Whether an action's ``external_key`` can be used once only.
    unique_action_keys: bool = False
    #: Whether ``customer_key`` must be sent (null will do) when a customer is created.
    customer_key_required: bool = True
    #: Whether a ``part_…`` key is taken where a ``partner_key`` is asked for.
    partnership_key_as_partner_key: bool = False
    #: What a new lead must have: all that an older page requires, or its partner only.
    lead_requires: Literal["older_page", "partner_key"] = "older_page"
    #: Status of a successful creation.
    create_status: Literal["200", "201"] = "200"
    #: What is said of a partner or customer that a body names and that is not there.
    unknown_reference: Literal["404", "400"] = "404"
    #: Whether an action for somebody unknown is refused, or answered with 200 and forgotten.
    unknown_action_target: Literal["refuse", "ignore"] = "refuse"
    #: The status when test and production are mixed.
    wrong_mode: Literal["400", "403", "404", "409"] = "400"
    #: Whether fields that are not documented are ignored or refused.
    unknown_fields: Literal["ignore", "reject"] = "ignore"
    #: Whether ``null`` in an update clears the field or leaves it as it is.
    null_clears: bool = True
    #: What the address of a webhook is called.
    webhook_url_field: Literal["target_url", "target"] = "target_url"

    # Reading
    #: Seconds until a new object can be read or listed.
    read_lag: float = 0
    #: Which keys may name a customer in a path.
    customer_paths: tuple[Literal["external", "internal", "email"], ...] = ("external", "internal")
    #: Which keys may name a partnership in the path of an update or a removal; reading takes all three.
    partnership_write_paths: tuple[Literal["internal", "external", "email"], ...] = ("internal",)
    #: Whether objects of the other mode can be read by their key.
    other_mode_readable: bool = False
    #: Whether the deal routes that are documented without ``v2`` answer there only, or under ``v2`` only.
    deal_routes: Literal["unversioned", "v2"] = "unversioned"

    # Lists
    #: Whether ``min_…`` and ``max_…`` include the moment they name.
    inclusive_bounds: bool = True
    #: How a list filtered by ``min_updated`` or ``max_updated`` is ordered unless ``order_by`` is given.
    order_under_updated: Literal["created_at", "updated_at"] = "created_at"
    #: What follows a cursor whose object is gone; ``works`` goes on from where it stood.
    deleted_cursor: Literal["404", "400", "empty", "first_page", "works"] = "404"
    #: What happens to a ``limit`` above 250.
    limit_above_maximum: Literal["400", "clamp"] = "400"
    #: Whether query parameters that are not documented are ignored or refused.
    unknown_parameters: Literal["ignore", "reject"] = "ignore"
    #: Whether lists have ``total``: on customers and actions only (as seen), everywhere, never, or null.
    total: Literal["as_seen", "always", "never", "null"] = "as_seen"
    #: Whether rewards that are scheduled are in a list that does not ask for them.
    scheduled_rewards_listed: bool = False

    # Removing
    #: Whether a deleted customer or transaction is archived or vanishes. Everything else is archived.
    deletes: Literal["archive", "remove"] = "archive"
    #: Whether archived objects are in lists (partnerships have a parameter for it).
    archived_listed: bool = False
    #: Whether archived objects can be read by their key.
    archived_readable: bool = True
    #: Whether partnerships and customers say that they are archived.
    archived_flag: bool = True
    #: Whether the key of a deleted object can be used again.
    deleted_keys_reusable: bool = False
    #: What deleting twice gives.
    second_delete: Literal["404", "200"] = "404"

    # Partner links and conversions
    #: Whether a partner link adds ``utm_…`` parameters, as the links of many vendors do.
    link_utm: bool = False
    #: The share of conversions that make nothing, though nothing is wrong with them. The answer is the same.
    phantom: Rate = 0
    #: Seconds until a customer made by a conversion can be read or listed, or a range of them, such as
    #: ``(120, 360)``, to draw from for each customer key.
    conversion_lag: Span = 0
    #: Whether transactions, actions and rewards for a customer that cannot be read yet are accepted, or
    #: find nobody.
    early_writes: Literal["accepted", "unknown"] = "unknown"

    # Form
    #: Whether ``status`` in the body is a number or a string.
    status_type: Literal["int", "str"] = "int"
    #: What custom data is called on an object.
    mdata_name: Literal["mdata", "m_data"] = "mdata"

    # Limits
    #: Calls that are answered within a minute, 0 for any number. PartnerStack's own limit is 4,000.
    requests_per_minute: int = 0
    #: How a 429 says when to come back.
    retry_after: Literal["seconds", "date", "off"] = "seconds"

    def __setattr__(self, name: str, value: Any) -> None:
        kind = _KINDS.get(name)
        if kind is None:
            raise AttributeError(f"There is no behaviour {name!r}. Known: {', '.join(_KINDS)}.")
        object.__setattr__(self, name, checked(name, value, kind))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def change(self, **switches: Any) -> None:
        """Set several switches, all or none."""
        trial = replace(self)
        for name, value in switches.items():
            setattr(trial, name, value)
        for item in fields(self):
            setattr(self, item.name, getattr(trial, item.name))


_KINDS: dict[str, Any] = get_type_hints(Behaviour, include_extras=True)
