"""What a sandbox holds and how it behaves: all that its answers are made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import RLock
from typing import Any

from . import seeds
from .behaviour import Behaviour
from .faults import Faults
from .landing import Sites
from .programme import RESOURCES
from .world import Call, Click, Conversion, Effects, World

OTHER = {"test": "production", "production": "test"}
NAMED_BY = {name: resource.named_by for name, resource in RESOURCES.items()}


class State:
    """Both worlds, and the switches; see ``Sandbox``. Whoever reads or changes it holds ``lock``."""

    def __init__(
        self,
        *,
        partnerships: int = 0,
        customers: int = 0,
        transactions: int = 0,
        deals: int = 0,
        leads: int = 0,
        actions: int = 0,
        rewards: int = 0,
        groups: int = 2,
        seed: int = 1,
        mode: str = "test",
        clock: Callable[[], float] = time.time,
        site: str = "http://127.0.0.1:8000/",
        sites: Iterable[str] = (),
    ) -> None:
        if mode not in OTHER:
            raise ValueError(f"mode must be test or production, not {mode!r}.")
        self.mode = mode
        self.clock = clock
        self.sites = Sites(site, sites)
        self.lock = RLock()
        self._seed = seed
        self._counts = {
            "partnerships": partnerships,
            "customers": customers,
            "transactions": transactions,
            "deals": deals,
            "leads": leads,
            "actions": actions,
            "rewards": rewards,
            "groups": groups,
        }
        for name, count in self._counts.items():
            if count < 0:
                raise ValueError(f"{name} must be a number from 0 up, not {count}.")
        self.behaviour = Behaviour()
        self.faults = Faults(seed)
        #: How often each thing was really done, by (mode, verb, natural key).
        self.effects: Effects = Effects()
        #: Clicks on partner links, and conversions with what came of them, oldest first.
        self.clicks: list[Click] = []
        self.conversions: list[Conversion] = []
        self.reset()

    def reset(self) -> None:
        """Begin again: the seeded objects, default behaviour, no faults, no effects, no clicks."""
        with self.lock:
            self.behaviour.change(**Behaviour().as_dict())
            self.faults.clear()
            self.effects.clear()
            self.clicks.clear()
            self.conversions.clear()
            #: The minute of the last call, and how many there were in it.
            self.calls = (0, 0)
            self.worlds = {mode: World(mode, self._seed, NAMED_BY) for mode in OTHER}
            for mode, world in self.worlds.items():
                both = {"groups": self._counts["groups"], "form_templates": 2}
                seeds.plant(world, both | (self._counts if mode == self.mode else {}))

    def call(self, mode: str, **details: Any) -> Call:
        """What a verb needs to answer a request made in this mode, now."""
        now = int(self.clock() * 1000)
        return Call(self.worlds[mode], self.worlds[OTHER[mode]], self.behaviour, self.effects, now, **details)
