"""PartnerStack's API for the company that runs a partner programme."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, NoReturn

import requests

from . import arguments, resources
from .api import Api, checked_method
from .credentials import Keys, Scrubber, TrackingToken
from .retry import Pace
from .sockets import new_session
from .transport import Transport


class Client:
    """
    A vendor's account at PartnerStack. Threads may share it.

    ``timeout``: seconds to wait for a connection and for the next bytes of an answer, as a pair or one
    number for both. ``deadline``: seconds that one call may take, with all its attempts and waits.
    Reads are tried again within it; writes are sent once, and an error says by ``ambiguous`` whether
    PartnerStack may have carried one out.

    ``use_environment``: use proxies, netrc and certificate bundles that the environment names.
    A ``session`` of your own is used as it is, with its adapters and cookies; the deadline then holds between
    blocks of an answer, not within one.

    ``pace`` replaces clock, sleep and chance, for tests.

    ``api_url`` may end in ``/v1``: then one partnership can be read by its partner key. Nothing can be
    written through version 1.
    """

    #: Where the API is. Empty until it is known to be good, so that nothing else is ever shown.
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
        pace: Pace | None = None,
    ) -> None:
        self._keys = Keys(public_key, secret_key)
        token = TrackingToken(tracking_token) if tracking_token else None
        # Not to be seen among the variables of a traceback.
        del public_key, secret_key, tracking_token
        self._keys.check()
        if token:
            token.check()
        self.api_url = arguments.url("api_url", api_url)
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        self._session = new_session(use_environment) if session is None else session
        transport = Transport(
            self._session, arguments.seconds("timeout", connect), arguments.seconds("timeout", read)
        )
        scrub = Scrubber(self._keys, *([token] if token else []))
        seconds = arguments.seconds("deadline", deadline)
        pace = pace or Pace()
        self._api = Api(transport, self.api_url, self._keys, scrub, deadline=seconds, pace=pace)
        conversion_url = arguments.url("conversion_url", conversion_url)
        tracking = (
            Api(transport, conversion_url, token, scrub, deadline=seconds, pace=pace) if token else None
        )

        self.partnerships = resources.Partnerships(self._api)
        self.customers = resources.Customers(self._api)
        self.transactions = resources.Transactions(self._api)
        self.deals = resources.Deals(self._api)
        self.leads = resources.Leads(self._api)
        self.rewards = resources.Rewards(self._api)
        self.groups = resources.Groups(self._api)
        self.actions = resources.Actions(self._api)
        self.links = resources.Links(self._api)
        self.webhooks = resources.Webhooks(self._api)
        self.conversions = resources.Conversions(tracking)

    def request(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """
        The data of any answer, out of its envelope; None if the answer is a message alone.

        ``path`` is below the API's URL and begins with a slash; encode the keys in it with
        ``urllib.parse.quote(key, safe="")``.
        """
        return self._api.call(
            checked_method(method),
            arguments.plain_path(path),
            lambda data: data,
            params=arguments.query(params or {}),
            json=json,
        )

    def close(self) -> None:
        """Close the connections that are kept open; a later call opens new ones."""
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
        raise TypeError("Client holds keys and cannot be pickled or copied")
