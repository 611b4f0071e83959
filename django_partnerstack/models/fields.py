from __future__ import annotations

from typing import Any

from django.db import models


class KeyField(models.CharField):
    """
    A key of PartnerStack's or of the host's: up to 255 characters, compared byte by byte.

    MariaDB and MySQL compare text without regard to case and, in most collations, to spaces at the end;
    to PartnerStack ``INV-1`` and ``inv-1`` are two transactions.
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
