"""
Switches for what PartnerStack does not document.

Each switch is one open question. Its default is the most plausible answer; the other values let a test show
that a site copes with them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_type_hints

from .event_names import EVENTS
from .switch_values import Offset, Rate, Seconds, validated


def switch(default: Any, description: str) -> Any:
    """A switch with its default. The README, ``--help`` and the sandbox's page show the description."""
    return field(default=default, metadata={"description": description})


@dataclass(slots=True)
class Behaviour:
    """
    Set an attribute to change how the sandbox answers.

    Raises AttributeError for an unknown name and ValueError for a wrong value; both list what is possible.
    """

    # Creating
    duplicates: Literal["409", "400", "200", "accepted"] = switch(
        "409",
        "Response to a key that is already in use, when creating or changing an object; ``accepted`` "
        "gives a second object the same key, ``200`` returns the object that has it.",
    )
    unique_emails: bool = switch(
        False, "Whether customers, and partnerships, must have different e-mail addresses."
    )
    unique_action_keys: bool = switch(
        False, "Whether actions must have different values of ``external_key``."
    )
    customer_key_required: bool = switch(
        True, "Whether creating a customer requires ``customer_key``, which may be null."
    )
    partnership_key_as_partner_key: bool = switch(
        False, "Whether ``partner_key`` also accepts a ``part_…`` key."
    )
    lead_requires: Literal["older_page", "partner_key"] = switch(
        "older_page",
        "Required fields of a new lead: all that an older page of the documentation lists, or the "
        "partner only.",
    )
    create_status: Literal["200", "201"] = switch("200", "Status of a successful creation.")
    unknown_reference: Literal["404", "400"] = switch(
        "404", "Status when a body refers to an unknown partner or customer."
    )
    unknown_action_target: Literal["refuse", "ignore"] = switch(
        "refuse",
        "Whether an action of an unknown customer or partner is refused, or answered with 200 and discarded.",
    )
    wrong_mode: Literal["400", "403", "404", "409"] = switch(
        "400", "Status when a request mixes test and production objects."
    )
    unknown_fields: Literal["ignore", "reject"] = switch(
        "ignore", "Whether undocumented fields are ignored or refused."
    )
    null_clears: bool = switch(True, "Whether ``null`` in an update clears the field or leaves it unchanged.")
    webhook_url_field: Literal["target_url", "target"] = switch(
        "target_url", "Name of the field with the URL of a webhook."
    )
    webhook_events: tuple[str, ...] = switch(
        EVENTS,
        "Names of the events that webhooks can subscribe to; other names are refused. Which events "
        "vendors can subscribe to is not documented completely.",
    )
    custom_fields: tuple[str, ...] = switch(
        ("plan",),
        "API names of the custom fields that the account has. Values in ``meta``, ``field_data`` and "
        "``fields`` for any other name are dropped without an error.",
    )

    # Reading
    read_lag: float = switch(0, "Seconds until a new object can be read or listed.")
    customer_paths: tuple[Literal["external", "internal", "email"], ...] = switch(
        ("external", "internal"), "Which keys identify a customer in a path."
    )
    partnership_write_paths: tuple[Literal["internal", "external", "email"], ...] = switch(
        ("internal",),
        "Which keys identify a partnership in the path of an update or a removal; reading accepts all three.",
    )
    other_mode_readable: bool = switch(False, "Whether objects of the other mode can be read by their key.")
    deal_routes: Literal["unversioned", "v2"] = switch(
        "unversioned",
        "Whether the deal routes that are documented without ``v2`` exist only without it, or only with it.",
    )

    # Lists
    inclusive_bounds: bool = switch(True, "Whether ``min_…`` and ``max_…`` include the given moment.")
    order_under_updated: Literal["created_at", "updated_at"] = switch(
        "created_at", "Default order of a list that is filtered by ``min_updated`` or ``max_updated``."
    )
    deleted_cursor: Literal["404", "400", "empty", "first_page", "works"] = switch(
        "404",
        "Response to a cursor whose object was removed; ``works`` continues from where the object was.",
    )
    limit_above_maximum: Literal["400", "clamp"] = switch("400", "Response to a ``limit`` above 250.")
    unknown_parameters: Literal["400", "empty"] = switch(
        "400",
        "Response to undocumented query parameters: an error, or a list without objects. A list is "
        "never returned as if the parameter had not been sent.",
    )
    total: Literal["as_seen", "always", "never", "null"] = switch(
        "as_seen",
        "Whether lists have ``total``: only customers and actions (as seen), all, none, or all with null.",
    )
    scheduled_rewards_listed: bool = switch(
        False, "Whether lists of rewards contain scheduled rewards by default."
    )

    # Removing
    deletes: Literal["archive", "remove"] = switch(
        "archive",
        "Whether a deleted customer or transaction is archived or removed. All others are archived.",
    )
    archived_listed: bool = switch(
        False, "Whether lists contain archived objects (partnerships have a parameter for it)."
    )
    archived_readable: bool = switch(True, "Whether archived objects can be read by their key.")
    archived_flag: bool = switch(True, "Whether partnerships and customers have the field ``archived``.")
    deleted_keys_reusable: bool = switch(False, "Whether the key of a deleted object can be used again.")
    second_delete: Literal["404", "200"] = switch("404", "Status of a second deletion.")

    # Partner links and conversions
    link_utm: bool = switch(
        False, "Whether a partner link adds ``utm_…`` parameters, as the links of many vendors do."
    )
    phantom: Rate = switch(  # noqa: RUF009
        0, "The share of valid conversions that create no customer. The response is the same."
    )
    conversion_lag: Seconds = switch(  # noqa: RUF009
        0,
        "Seconds until a customer that a conversion created can be read or listed, or a range such as "
        "``(120, 360)``, from which the sandbox draws for each customer key.",
    )
    early_writes: Literal["accepted", "unknown"] = switch(
        "unknown",
        "Whether transactions, actions and rewards of a customer that cannot be read yet are "
        "accepted, or refused as those of an unknown customer.",
    )

    # Webhooks
    webhook_body: Literal["enveloped", "flat"] = switch(
        "enveloped", "Whether a webhook has the object in ``data``, or at the top."
    )
    webhook_names: Literal["dotted", "underscore"] = switch(
        "dotted", "Whether webhooks name events ``partnership.updated`` or ``partnership_updated``."
    )
    webhook_delay: Seconds = switch(  # noqa: RUF009
        0, "Seconds from a change to the delivery of its webhook, or a range such as ``(0, 3)``."
    )
    webhook_lost: Rate = switch(  # noqa: RUF009
        0, "The share of webhooks that are never sent."
    )
    webhook_doubled: Rate = switch(  # noqa: RUF009
        0, "The share of webhooks that are sent twice."
    )
    webhook_reordered: Rate = switch(  # noqa: RUF009
        0, "The share of webhooks that are sent up to three seconds late."
    )
    webhook_retries: int = switch(
        0, "How many times a webhook is sent again, after 1, 2, 4, … seconds, until the answer is 2xx."
    )

    # Format
    status_type: Literal["int", "str"] = switch(
        "int", "Whether ``status`` in the body is a number or a string."
    )
    mdata_name: Literal["mdata", "m_data"] = switch(
        "mdata", "Name of the field with an object's custom data."
    )
    missing_names: Literal["empty", "null"] = switch(
        "empty", "What the ``first_name`` and ``last_name`` of a partner without names are."
    )
    reward_transaction: Literal["object", "source"] = switch(
        "object",
        "Whether a reward of a transaction has the object ``transaction``, or names it only in ``source``.",
    )
    nested_data: bool = switch(
        False,
        'Whether the ``data`` of a single object contains it one level down, such as ``{"customer": {…}}``.',
    )

    # Limits
    requests_per_minute: int = switch(
        0, "Requests allowed per minute, 0 for no limit. PartnerStack's own limit is 4,000."
    )
    retry_after: Literal["seconds", "date", "off"] = switch("seconds", "Form of ``Retry-After`` on a 429.")

    # Access and clock
    forbidden: tuple[
        Literal[
            "groups",
            "partnerships",
            "links",
            "customers",
            "transactions",
            "actions",
            "rewards",
            "deals",
            "leads",
            "webhooks",
        ],
        ...,
    ] = switch(
        (),
        "Resources that the key pair has no permission for: the response is 403. Leads and deals depend on "
        "the plan of an account.",
    )
    clock_offset: Offset = switch(  # noqa: RUF009
        0,
        "Seconds that PartnerStack's clock is ahead of this machine's, in the header ``Date`` and in the "
        "times of objects. Below 0: it is behind.",
    )

    def __setattr__(self, name: str, value: Any) -> None:
        kind = TYPES.get(name)
        if kind is None:
            raise AttributeError(f"There is no behaviour {name!r}. Known: {', '.join(TYPES)}.")
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


#: The type of each switch.
TYPES: dict[str, Any] = get_type_hints(Behaviour, include_extras=True)
