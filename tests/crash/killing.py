"""Workers that are killed at named points and at random, while the site writes."""

from __future__ import annotations

import signal
import time
from collections import Counter, deque
from random import Random

from . import host, worker
from .processes import Child, Family, context, until
from .traps import POINTS

AT_RANDOM = "at random"
#: Seconds that a worker may live without reaching its point.
PATIENCE = 4


class Victim:
    """A worker, and the point or the time at which it is killed."""

    def __init__(self, family: Family, point: str, random: Random) -> None:
        self.point = point
        self.child = family.start(worker.work, random.choice((1, 2, 4)), point, random.randint(1, 4))
        self.lives_for = random.uniform(0.05, 1.5) if point == AT_RANDOM else PATIENCE
        self.ready_at = 0.0

    @property
    def is_dead(self) -> bool:
        if not self.ready_at and self.child.is_ready:
            self.ready_at = time.monotonic()
        if self.ready_at and time.monotonic() > self.ready_at + self.lives_for:
            self.child.send(signal.SIGKILL)
            self.child.wait(5)
        return self.child.code is not None

    @property
    def place(self) -> str:
        """The point at which it was killed."""
        return self.point if "trap:" in self.child.said else AT_RANDOM


class Killing:
    """
    Runs a site's ``events`` while ``kills`` workers are killed. 1 to 4 work at a time.

    On a busy machine workers are slow to reach their points. Then more are killed, until each had one.
    """

    def __init__(self, family: Family, *, seed: int, events: int, kills: int) -> None:
        self.family = family
        self.random = Random(seed)
        self.events, self.kills = events, kills
        self.killed: Counter[str] = Counter()
        self.orders, given = context.Pipe()
        family.start(host.write_on_order, given, seed, events)
        self.points = deque((*POINTS, AT_RANDOM, AT_RANDOM, AT_RANDOM))
        self.victims: list[Victim] = []

    def run(self) -> None:
        while (left := self._left()) > 0:
            # Two thirds of the events, so that some are left for kills beyond the wanted ones.
            self.orders.send(1 + self.events * 2 // (self.kills * 3))
            wanted = min(self.random.randint(1, 4), left)
            for _ in range(wanted - len(self.victims)):
                self.victims.append(Victim(self.family, self._next_point(), self.random))
            until(self._bury, seconds=30, what="a worker dies")
        self.orders.send(2 * self.events)

    def _left(self) -> int:
        missing = {*POINTS, AT_RANDOM} - {*self.killed}
        total = self.killed.total()
        return max(self.kills - total, len(missing) if total < 2 * self.kills else 0)

    def _next_point(self) -> str:
        self.points.rotate(-1)
        return self.points[-1]

    def _bury(self) -> int:
        dead = [victim for victim in self.victims if victim.is_dead]
        for victim in dead:
            assert victim.child.code == -signal.SIGKILL, victim.child.said
            self.victims.remove(victim)
            self.killed[victim.place] += 1
            if victim.place != victim.point:
                # Other workers left it no message to reach its point with.
                self.points.appendleft(victim.point)
        return len(dead)

    def finish(self, *, workers: int) -> list[Child]:
        """Start workers that are not killed, for the rest."""
        return [self.family.start(worker.work) for _ in range(workers)]
