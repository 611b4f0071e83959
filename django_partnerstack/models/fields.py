from __future__ import annotations

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
