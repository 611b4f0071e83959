"""Whether the database has this app's tables as the models describe them."""

from __future__ import annotations

from django.apps import apps
from django.db import connections


def lacks_tables(using: str) -> bool:
    """
    Whether a table of this app, or a column, is missing. Takes a query for each table.

    Raises the errors of a database that does not answer.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in apps.get_app_config("partnerstack").get_models():
            if model._meta.db_table not in tables:
                return True
            described = connection.introspection.get_table_description(cursor, model._meta.db_table)
            columns = {column.name for column in described}
            if not columns >= {field.column for field in model._meta.local_concrete_fields}:
                return True
    return False
