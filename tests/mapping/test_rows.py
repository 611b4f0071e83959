from datetime import datetime, timezone

import pytest

from django_partnerstack.client import records
from django_partnerstack.mapping import to_row
from django_partnerstack.mapping.rows import columns
from django_partnerstack.models import MIRRORS, Mirror

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)

#: What a row has beside the columns that its record fills.
BOOKKEEPING = {"id", "mode", "missing_since", "synced_at"}


@pytest.mark.parametrize("model", MIRRORS.values(), ids=lambda model: model.__name__)
def test_a_mirror_has_a_column_for_each_field_of_its_record_and_no_more(model: type[Mirror]):
    record = getattr(records, f"{model.__name__}Record")
    assert {field.name for field in model._meta.fields} == {*columns(record), *BOOKKEEPING}


def test_a_row_has_what_its_record_says():
    record = records.GroupRecord.from_api({"key": "grup_1", "name": "Gold", "default": True, "created_at": 0})
    assert to_row(record, mode="test", synced_at=NOW) == {
        "key": "grup_1",
        "remote_created_at": datetime(1970, 1, 1, tzinfo=timezone.utc),
        "remote_updated_at": None,
        "archived": False,
        "raw": {"key": "grup_1", "name": "Gold", "default": True, "created_at": 0},
        "name": "Gold",
        "slug": "",
        "default": True,
        "mode": "test",
        "missing_since": None,
        "synced_at": NOW,
    }
