from __future__ import annotations

import json
from typing import Any

from django.db import models


class KeyField(models.CharField):
    """
    A key of PartnerStack or of the site: up to 255 characters, compared byte by byte.

    MariaDB and MySQL ignore case by default and, in most collations, trailing spaces, but PartnerStack has
    two transactions for ``INV-1`` and ``inv-1``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 255)
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            mariadb = connection.mysql_is_mariadb
            parameters["collation"] = "utf8mb4_nopad_bin" if mariadb else "utf8mb4_0900_bin"
        return parameters


class JSONTextField(models.TextField):
    """
    JSON that anybody may have sent, stored as ASCII text.

    A JSON column of PostgreSQL refuses null characters and halves of surrogate pairs, and MariaDB refuses
    deep nesting.
    """

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value)

    def value_to_string(self, obj: Any) -> Any:
        """For fixtures, which contain the text."""
        return self.get_prep_value(self.value_from_object(obj))
