"""``Client``, the entry point to PartnerStack's vendor API."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, NoReturn

import requests

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


class Client:
    """
    The vendor API of PartnerStack (docs.partnerstack.com/reference). Threads may share a client.

    Each list of the API is an attribute, such as ``client.customers``.

    ``public_key``, ``secret_key``: the key pair of one mode, test or production.
    ``api_url``: an https URL, or http on this machine. With ``/v1`` only ``partnerships.get`` works.
    ``timeout``: seconds to wait for a connection and for the next bytes of a response, as a pair or as one
    number for both.
    ``session``: used instead of a new session, with its adapters and cookies. The deadline is then checked
    between blocks of a response and not within a block.
    ``tracking_token``, ``conversion_url``: for ``conversions`` only.
    ``deadline``: seconds that one call may take, including all attempts and delays.
    ``use_environment``: use the proxies, netrc and certificate bundles that the environment names.
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
        use_environment: bool = False,
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
        self._api = Api(transport, self.api_url, self._keys, scrub, seconds, policy)
        conversion_url = validation.url("conversion_url", conversion_url)
        tracking = Api(transport, conversion_url, token, scrub, seconds, policy) if token else None

        for name, record in RECORDS.items():
            setattr(self, name, LISTINGS.get(name, Listing)(self._api, record))
        self.links = Links(self._api)
        self.conversions = Conversions(tracking)

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

    def __repr__(self) -> str:
        return f"<Client {self.api_url} {self._keys.masked}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Client contains keys and cannot be pickled or copied")
