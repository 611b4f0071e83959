"""A minimal client. It is independent of the package's client, which the sandbox tests."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

from django_partnerstack.sandbox import PRODUCTION_KEYS, TEST_KEYS, Reply, Sandbox

KEYS = {"test": TEST_KEYS, "production": PRODUCTION_KEYS}


def basic(keys: tuple[str, str]) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(":".join(keys).encode()).decode()}


class ApiClient:
    """Sends requests to a sandbox in one mode; ``reply`` is the last reply."""

    def __init__(self, sandbox: Sandbox, mode: str = "test", root: str = "/api/v2") -> None:
        self.sandbox = sandbox
        self.headers = basic(KEYS[mode])
        self.root = root
        self.reply = Reply(0)

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON of the answer."""
        target = self.root + path + ("?" + urlencode(query, doseq=True) if query else "")
        sent = b"" if body is None else json.dumps(body).encode()
        self.reply = self.sandbox.handle(method, target, self.headers, sent)
        return json.loads(self.reply.body) if self.reply.body else None

    @property
    def status(self) -> int:
        return self.reply.status

    def get(self, path: str, **query: Any) -> Any:
        return self("GET", path, **query).get("data")

    def items(self, path: str, **query: Any) -> list[Any]:
        return self.get(path, **query)["items"]

    def keys(self, path: str, **query: Any) -> list[str]:
        return [item["key"] for item in self.items(path, **query)]

    def post(self, path: str, **body: Any) -> Any:
        return self("POST", path, body).get("data")

    def patch(self, path: str, **body: Any) -> Any:
        return self("PATCH", path, body).get("data")

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
        """Status and message of an answer without data."""
        answer = self(method, path, body, **query)
        assert set(answer) == {"message", "status"}
        assert answer["status"] == self.status
        return self.status, answer["message"]

    def customer(self, customer_key: str = "c-1", **fields: Any) -> Any:
        body = {"email": f"{customer_key}@site.example", "partner_key": "gstest", **fields}
        return self.post("/customers", customer_key=customer_key, **body)

    def transaction(self, key: str = "t-01", **fields: Any) -> Any:
        body = {"customer_external_key": "c-1", "amount": 4900, "currency": "USD", **fields}
        return self.post("/transactions", key=key, **body)
