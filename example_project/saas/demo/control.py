"""PartnerStack's own side, as people there would use it: the sandbox's control endpoint."""

from __future__ import annotations

from collections import Counter
from typing import Any

import requests


class Control:
    """What happens at PartnerStack without this site, and what it has counted."""

    def __init__(self, sandbox_url: str) -> None:
        self.url = f"{sandbox_url}/_control"
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy between two processes of one machine

    def objects(self, resource: str) -> list[dict[str, Any]]:
        return self._ask("GET", f"objects/{resource}")

    def create(self, resource: str, **fields: Any) -> dict[str, Any]:
        return self._ask("POST", f"objects/{resource}", fields)

    def change(self, resource: str, key: str, **fields: Any) -> dict[str, Any]:
        return self._ask("PATCH", f"objects/{resource}/{key}", fields)

    def remove(self, resource: str, key: str) -> None:
        self._ask("DELETE", f"objects/{resource}/{key}")

    def add_fault(self, kind: str, **details: Any) -> None:
        self._ask("POST", "faults", {"kind": kind, **details})

    def effects(self) -> Counter[tuple[str, str]]:
        """How often each thing was really done, by what it was and the key of what it was done to."""
        return Counter(
            {(found["verb"], found["key"]): found["count"] for found in self._ask("GET", "effects")}
        )

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        reply = self.session.request(method, f"{self.url}/{path}", json=body, timeout=10)
        reply.raise_for_status()
        return reply.json()
