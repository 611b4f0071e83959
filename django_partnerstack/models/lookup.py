"""Many values in one lookup."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import connections, models
from django.db.models.expressions import RawSQL


def any_of(values: Iterable[str], using: str) -> Any:
    """
    What stands behind ``__in`` for any of these texts.

    One parameter where it can be: hundreds of them take longer to pass on than to look up.
    """
    vendor = connections[using].vendor
    if vendor == "postgresql":
        return RawSQL("SELECT value FROM json_array_elements_text(%s::json)", [json.dumps(list(values))])
    if vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(values))])
    return list(values)


def with_keys(rows: models.QuerySet[Any], mode: str, keys: Iterable[str]) -> models.QuerySet[Any]:
    """
    Those of ``rows`` that are of this mode and have one of these keys.

    PostgreSQL chooses by statistics how to find them, and has none while a table is filled for the first
    time: it would read all rows of the mode for each page. A subquery for each key leaves it the index only.
    """
    connection = connections[rows.db]
    if connection.vendor != "postgresql":
        return rows.filter(mode=mode, key__in=any_of(keys, rows.db))
    table = connection.ops.quote_name(rows.model._meta.db_table)
    # The table's name comes from the model.
    found = f"""
        SELECT mirror.id FROM json_array_elements_text(%s::json) AS wanted CROSS JOIN LATERAL (
            SELECT id FROM {table} WHERE mode = %s AND key = wanted.value LIMIT 1
        ) AS mirror
    """  # noqa: S608
    return rows.filter(pk__in=RawSQL(found, [json.dumps(list(keys)), mode]))  # noqa: S611
