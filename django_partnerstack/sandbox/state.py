"""What a sandbox contains: one database for each mode, switches, faults, and records of what happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from threading import RLock
from typing import Any

from .api.call import Call, Effects
from .api.seeding import seed as seed_database
from .behaviour.faults import Faults
from .behaviour.switches import Behaviour
from .http.allowed_sites import AllowedSites
from .resources import RESOURCES
from .storage.database import Click, Conversion, Database
from .webhooks.deliveries import Deliveries

OTHER_MODE = {"test": "production", "production": "test"}


class SandboxState:
    """The data of a ``Sandbox``. Hold ``lock`` to read or change it."""

    def __init__(
        self,
        *,
        seed: int = 1,
        mode: str = "test",
        clock: Callable[[], float] = time.time,
        site: str = "http://127.0.0.1:8000/",
        sites: Iterable[str] = (),
        **counts: int,
    ) -> None:
        if mode not in OTHER_MODE:
            raise ValueError(f"mode must be test or production, not {mode!r}.")
        for name, count in counts.items():
            if name not in RESOURCES:
                known = ", ".join(RESOURCES)
                raise TypeError(f"Sandbox() has no argument {name!r}. Counts of objects: {known}.")
            if count < 0:
                raise ValueError(f"{name} must be a number from 0 up, not {count}.")
        self.mode = mode
        self.clock = clock
        self.sites = AllowedSites(site, sites)
        self.lock = RLock()
        self._seed = seed
        self._counts = {name: resource.default_count for name, resource in RESOURCES.items()} | counts
        self.behaviour = Behaviour()
        self.faults = Faults(seed)
        #: How many times each operation took effect, by (mode, operation, natural key).
        self.effects: Effects = Effects()
        #: Clicks on partner links, and valid conversions, oldest first.
        self.clicks: list[Click] = []
        self.conversions: list[Conversion] = []
        #: What is delivered to the webhooks.
        self.deliveries = Deliveries(self, self.lock)
        self.reset()

    def reset(self) -> None:
        """Start again: seeded objects, default behaviour, no faults, effects, clicks or conversions."""
        with self.lock:
            self.behaviour.change(**Behaviour().as_dict())
            self.faults.clear()
            self.effects.clear()
            self.clicks.clear()
            self.conversions.clear()
            self.deliveries.clear()
            #: The minute of the last request, and how many requests it had.
            self.requests_of_minute = (0, 0)
            fields = {name: resource.lookup_fields for name, resource in RESOURCES.items()}
            self.databases = {mode: Database(mode, self._seed, fields) for mode in OTHER_MODE}
            for mode, database in self.databases.items():
                seed_database(database, RESOURCES.values(), self._counts_in(mode))
                for name in RESOURCES:
                    database[name].observer = partial(self.deliveries.changed, mode, name)

    def _counts_in(self, mode: str) -> dict[str, int]:
        return {
            name: self._counts[name]
            for name, resource in RESOURCES.items()
            if mode == self.mode or resource.seeded_in_both_modes
        }

    def now(self) -> float:
        """PartnerStack's time, in seconds since the epoch."""
        return self.clock() + self.behaviour.clock_offset

    def call(self, mode: str, **details: Any) -> Call:
        """A request of this mode, now."""
        now, other = int(self.now() * 1000), OTHER_MODE[mode]
        return Call(self.databases[mode], self.databases[other], self.behaviour, self.effects, now, **details)
