"""``Client``, the entry point to PartnerStack's vendor API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from types import TracebackType
from typing import Any, NoReturn

import requests

from ..exceptions import InvalidArgument
from . import validation
from .api import Api, query
from .credentials import Keys, Scrubber, TrackingToken
from .records import RECORDS, GroupRecord
from .resources.actions import Actions
from .resources.base import Listing
from .resources.conversions import Conversions
from .resources.customers import Customers
from .resources.deals import Deals
from .resources.leads import Leads
from .resources.partnerships import Links, Partnerships
from .resources.rewards import Rewards
from .resources.transactions import Transactions
from .resources.webhooks import Webhooks
from .retry import RetryPolicy
from .sockets import new_session
from .transport import Transport

#: The class of each list that the API can do more with. A list that is not named here is a plain ``Listing``.
LISTINGS: dict[str, type[Listing[Any]]] = {
    "actions": Actions,
    "customers": Customers,
    "deals": Deals,
    "leads": Leads,
    "partnerships": Partnerships,
    "rewards": Rewards,
    "transactions": Transactions,
    "webhooks": Webhooks,
}


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Client:
    """
    The vendor API of PartnerStack (docs.partnerstack.com/reference). Threads may share a client.

    Each list of the API is an attribute, such as ``client.customers``.

    ``public_key``, ``secret_key``: the key pair of one mode, test or production.
    ``api_url``: an https URL, or http on this machine. With ``/v1`` only ``partnerships.get`` works.
    ``timeout``: seconds to wait for a connection and for the next bytes of a response, as a pair or as one
    number for both.
    ``session``: used instead of a new session, with its adapters and cookies. The deadline is then checked
    before the request and between blocks of a response, and not within either.
    ``tracking_token``, ``conversion_url``: for ``conversions`` only.
    ``deadline``: seconds that one call may take, including all attempts and delays.
    ``use_environment``: use the proxies and certificate bundles that the environment names, as all programs
    of the machine do. ``.netrc`` is never used: it would replace the keys.
    ``retry_policy``: how many attempts a read has, and the clocks and the randomness of its delays.

    Raises ``InvalidArgument`` if an argument cannot be used.

    Every call raises ``InvalidArgument`` before it sends anything, or a ``RequestError``. Reads are retried
    within the deadline. Writes are sent once, and if one fails, the error's ``in_doubt`` says whether
    PartnerStack may have carried it out: then look the object up before you send it again.
    """

    actions: Actions
    #: Server-to-server conversions. They need the tracking token.
    conversions: Conversions
    customers: Customers
    deals: Deals
    groups: Listing[GroupRecord]
    leads: Leads
    links: Links
    partnerships: Partnerships
    rewards: Rewards
    transactions: Transactions
    webhooks: Webhooks

    #: Where the API is. Empty until it has been checked, so that repr() shows no unchecked URL.
    api_url = ""

    def __init__(
        self,
        public_key: str,
        secret_key: str,
        api_url: str = "https://api.partnerstack.com/api/v2",
        timeout: float | tuple[float, float] = (5, 30),
        session: requests.Session | None = None,
        *,
        tracking_token: str = "",
        conversion_url: str = "https://partnerlinks.io/conversion/xid",
        deadline: float = 120,
        use_environment: bool = True,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self._keys = Keys(public_key, secret_key)
        token = TrackingToken(tracking_token) if tracking_token else None
        # Tracebacks that show variables must not show the keys.
        del public_key, secret_key, tracking_token
        self._keys.check()
        if token:
            token.check()
        self.api_url = validation.url("api_url", api_url)
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        self._session = new_session(use_environment) if session is None else session
        transport = Transport(
            self._session, validation.seconds("timeout", connect), validation.seconds("timeout", read)
        )
        scrub = Scrubber(self._keys, *([token] if token else []))
        seconds = validation.seconds("deadline", deadline)
        policy = retry_policy or RetryPolicy()
        conversion_url = validation.url("conversion_url", conversion_url)
        self._connect(
            Api(transport, self.api_url, self._keys, scrub, seconds, policy),
            Api(transport, conversion_url, token, scrub, seconds, policy) if token else None,
        )

    def _connect(self, api: Api, tracking: Api | None) -> None:
        self._api, self._tracking = api, tracking
        for name, record in RECORDS.items():
            setattr(self, name, LISTINGS.get(name, Listing)(api, record))
        self.links = Links(api)
        self.conversions = Conversions(tracking)

    def until(self, moment: datetime, now: Callable[[], datetime] = utc_now) -> Client:
        """
        This client, but none of its calls lasts longer than until ``moment``, and nothing is sent after it.

        For a write that is allowed until a time only, such as the end of a lease. The time is checked before
        the connection, after it, and again between the headers and the body: once it has passed, the call
        raises ``NotSent``, and PartnerStack has not received a complete request. One window remains: a
        process that is stopped between the last check and the end of the one system call that writes the
        body sends it when it continues. (A body of less than 16 KB is one record of TLS. A custom ``session``
        is checked once, before the connection.)

        ``now``: the clock of ``moment``, read once; after that the machine's clocks count, both the monotonic
        clock and the clock of the day, so that a machine that slept notices it as well.

        Shares the connections and the keys of this client. Raises ``InvalidArgument`` unless ``moment`` has
        a time zone.
        """
        policy = self._api.retry_policy
        # Before ``now``, so that a process that is stopped between them gets less time, not more.
        clock, wall_clock = policy.clock(), policy.wall_clock()
        if moment.utcoffset() is None:
            raise InvalidArgument("The moment must have a time zone.")
        seconds = (moment - now()).total_seconds()

        def seconds_until() -> float:
            passed = max(policy.clock() - clock, policy.wall_clock() - wall_clock)
            return seconds - passed

        limited = object.__new__(type(self))
        vars(limited).update(vars(self))
        tracking = self._tracking and replace(self._tracking, seconds_until=seconds_until)
        limited._connect(replace(self._api, seconds_until=seconds_until), tracking)
        return limited

    def request(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """
        Call any other route of the API and return the data of its response, without the envelope.

        None if the response has only a message. ``path`` is below ``api_url`` and begins with a slash; encode
        the keys in it with ``urllib.parse.quote(key, safe="")``. ``params`` may contain datetimes, booleans
        and lists. Only a GET is retried.
        """
        return self._api.call(
            validation.method(method),
            validation.path(path),
            lambda data: data,
            params=query(params or {}),
            json=json,
        )

    def close(self) -> None:
        """Close the open connections. A later call opens new connections."""
        self._session.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def masked_key(self) -> str:
        """Enough of the public key to distinguish two accounts."""
        return self._keys.masked

    def __repr__(self) -> str:
        return f"<Client {self.api_url} {self.masked_key}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Client contains keys and cannot be pickled or copied")
