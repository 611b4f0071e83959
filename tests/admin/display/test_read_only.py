from __future__ import annotations

from typing import Any

from django_partnerstack.admin.display.read_only import BoundedPaginator
from django_partnerstack.models import OutboxMessage

from ..conftest import queue


def test_a_long_list_is_counted_up_to_a_limit(db: None, django_assert_num_queries: Any) -> None:
    for number in range(5):
        queue(subject=str(number))
    paginator = BoundedPaginator(OutboxMessage.objects.order_by("-pk"), 2)
    paginator.MOST = 4
    with django_assert_num_queries(1) as captured:
        assert (paginator.count, paginator.num_pages, paginator.is_cut) == (4, 2, True)
    assert "LIMIT 4" in captured[0]["sql"]
