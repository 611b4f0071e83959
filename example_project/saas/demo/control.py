"""PartnerStack's side of the demo, through the sandbox's control endpoint."""

from __future__ import annotations

from collections import Counter
from typing import Any

import requests


class Control:
    """Changes objects at PartnerStack without the site, and reads what PartnerStack has counted."""

    def __init__(self, sandbox_url: str) -> None:
        self.url = f"{sandbox_url}/_control"
        self.session = requests.Session()
        self.session.trust_env = False  # Use no proxy between two processes on one machine.

    def objects(self, resource: str) -> list[dict[str, Any]]:
        return self._request("GET", f"objects/{resource}")

    def create(self, resource: str, **fields: Any) -> dict[str, Any]:
        return self._request("POST", f"objects/{resource}", fields)

    def change(self, resource: str, key: str, **fields: Any) -> dict[str, Any]:
        return self._request("PATCH", f"objects/{resource}/{key}", fields)

    def remove(self, resource: str, key: str) -> None:
        self._request("DELETE", f"objects/{resource}/{key}")

    def add_fault(self, kind: str, **details: Any) -> None:
        self._request("POST", "faults", {"kind": kind, **details})

    def effects(self) -> Counter[tuple[str, str]]:
        """How often each operation was carried out, by operation and key of its object."""
        return Counter(
            {(effect["verb"], effect["key"]): effect["count"] for effect in self._request("GET", "effects")}
        )

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        reply = self.session.request(method, f"{self.url}/{path}", json=body, timeout=10)
        reply.raise_for_status()
        return reply.json()
