"""
Switches for what PartnerStack does not document.

Each switch is one open question. Its default is the most plausible answer; the other values let a test show
that a site copes with them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_type_hints

from .switch_values import Rate, Seconds, validated


@dataclass(slots=True)
class Behaviour:
    """
    Set an attribute to change how the sandbox answers.

    Raises AttributeError for an unknown name and ValueError for a wrong value; both list what is possible.
    """

    # Creating
    #: Response to a key that is already in use; ``accepted`` silently creates a second object.
    duplicates: Literal["409", "400", "200", "accepted"] = "409"
    #: Whether customers, and partnerships, must have different e-mail addresses.
    unique_emails: bool = False
    #: Whether actions must have different values of ``external_key``.
    unique_action_keys: bool = False
    #: Whether creating a customer requires ``customer_key``, which may be null.
    customer_key_required: bool = True
    #: Whether ``partner_key`` also accepts a ``part_…`` key.
    partnership_key_as_partner_key: bool = False
    #: Required fields of a new lead: all that an older page of the documentation lists, or the partner only.
    lead_requires: Literal["older_page", "partner_key"] = "older_page"
    #: Status of a successful creation.
    create_status: Literal["200", "201"] = "200"
    #: Status when a body refers to an unknown partner or customer.
    unknown_reference: Literal["404", "400"] = "404"
    #: Whether an action of an unknown customer or partner is refused, or answered with 200 and discarded.
    unknown_action_target: Literal["refuse", "ignore"] = "refuse"
    #: Status when a request mixes test and production objects.
    wrong_mode: Literal["400", "403", "404", "409"] = "400"
    #: Whether undocumented fields are ignored or refused.
    unknown_fields: Literal["ignore", "reject"] = "ignore"
    #: Whether ``null`` in an update clears the field or leaves it unchanged.
    null_clears: bool = True
    #: Name of the field with the URL of a webhook.
    webhook_url_field: Literal["target_url", "target"] = "target_url"

    # Reading
    #: Seconds until a new object can be read or listed.
    read_lag: float = 0
    #: Which keys identify a customer in a path.
    customer_paths: tuple[Literal["external", "internal", "email"], ...] = ("external", "internal")
    #: Which keys identify a partnership in the path of an update or a removal; reading accepts all three.
    partnership_write_paths: tuple[Literal["internal", "external", "email"], ...] = ("internal",)
    #: Whether objects of the other mode can be read by their key.
    other_mode_readable: bool = False
    #: Whether the deal routes that are documented without ``v2`` exist only without it, or only with it.
    deal_routes: Literal["unversioned", "v2"] = "unversioned"

    # Lists
    #: Whether ``min_…`` and ``max_…`` include the given moment.
    inclusive_bounds: bool = True
    #: Default order of a list that is filtered by ``min_updated`` or ``max_updated``.
    order_under_updated: Literal["created_at", "updated_at"] = "created_at"
    #: Response to a cursor whose object was removed; ``works`` continues from where the object was.
    deleted_cursor: Literal["404", "400", "empty", "first_page", "works"] = "404"
    #: Response to a ``limit`` above 250.
    limit_above_maximum: Literal["400", "clamp"] = "400"
    #: Whether undocumented query parameters are ignored or refused.
    unknown_parameters: Literal["ignore", "reject"] = "ignore"
    #: Whether lists have ``total``: only customers and actions (as seen), all, none, or all with null.
    total: Literal["as_seen", "always", "never", "null"] = "as_seen"
    #: Whether lists of rewards contain scheduled rewards by default.
    scheduled_rewards_listed: bool = False

    # Removing
    #: Whether a deleted customer or transaction is archived or removed. All others are archived.
    deletes: Literal["archive", "remove"] = "archive"
    #: Whether lists contain archived objects (partnerships have a parameter for it).
    archived_listed: bool = False
    #: Whether archived objects can be read by their key.
    archived_readable: bool = True
    #: Whether partnerships and customers have the field ``archived``.
    archived_flag: bool = True
    #: Whether the key of a deleted object can be used again.
    deleted_keys_reusable: bool = False
    #: Status of a second deletion.
    second_delete: Literal["404", "200"] = "404"

    # Partner links and conversions
    #: Whether a partner link adds ``utm_…`` parameters, as the links of many vendors do.
    link_utm: bool = False
    #: The share of valid conversions that create no customer. The response is the same.
    phantom: Rate = 0
    #: Seconds until a customer that a conversion created can be read or listed, or a range such as
    #: ``(120, 360)``, from which the sandbox draws for each customer key.
    conversion_lag: Seconds = 0
    #: Whether transactions, actions and rewards of a customer that cannot be read yet are accepted, or
    #: refused as those of an unknown customer.
    early_writes: Literal["accepted", "unknown"] = "unknown"

    # Webhooks
    #: Whether a delivery has the object in ``data``, or at the top.
    webhook_body: Literal["enveloped", "flat"] = "enveloped"
    webhook_names: Literal["dotted", "underscore"] = "dotted"
    #: Seconds from a change to its delivery, or a range such as ``(0, 3)``.
    webhook_delay: Seconds = 0
    #: The shares of deliveries that are never sent, sent twice, and sent up to three seconds late.
    webhook_lost: Rate = 0
    webhook_doubled: Rate = 0
    webhook_reordered: Rate = 0
    #: How many times a delivery is sent again, after 1, 2, 4, … seconds, if it was not answered with 2xx.
    webhook_retries: int = 0

    # Format
    #: Whether ``status`` in the body is a number or a string.
    status_type: Literal["int", "str"] = "int"
    #: Name of the field with an object's custom data.
    mdata_name: Literal["mdata", "m_data"] = "mdata"

    # Limits
    #: Requests allowed per minute, 0 for no limit. PartnerStack's own limit is 4,000.
    requests_per_minute: int = 0
    #: Form of ``Retry-After`` on a 429.
    retry_after: Literal["seconds", "date", "off"] = "seconds"

    def __setattr__(self, name: str, value: Any) -> None:
        kind = _TYPES.get(name)
        if kind is None:
            raise AttributeError(f"There is no behaviour {name!r}. Known: {', '.join(_TYPES)}.")
        object.__setattr__(self, name, validated(name, value, kind))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def change(self, **switches: Any) -> None:
        """Set several switches, all or none."""
        trial = replace(self)
        for name, value in switches.items():
            setattr(trial, name, value)
        for item in fields(self):
            setattr(self, item.name, getattr(trial, item.name))


_TYPES: dict[str, Any] = get_type_hints(Behaviour, include_extras=True)
