from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from django_partnerstack.insight.reconciliation.kinds import KINDS
from django_partnerstack.models import ReconciliationRun
from tests.admin.conftest import INLINE, html_of, list_url
from tests.insight.reconciliation import books

pytestmark = pytest.mark.django_db


def reconciled() -> ReconciliationRun:
    with pytest.raises(SystemExit):
        call_command("partnerstack_reconcile", stdout=StringIO())
    return ReconciliationRun.objects.get()


def test_the_list_says_how_to_compare_and_what_came_of_it(browser: Client) -> None:
    books.write(1, each=0)
    books.plant(books.never_arrived)
    assert (
        "<code>manage.py partnerstack_reconcile</code>"
        in browser.get(list_url(ReconciliationRun)).rendered_content
    )
    reconciled()
    assert "1 difference" in browser.get(list_url(ReconciliationRun)).rendered_content


def test_the_page_of_a_result_shows_each_kind_and_its_mend(browser: Client) -> None:
    books.write(600)
    html = html_of(browser, reconciled())
    for code, kind in KINDS.items():
        assert f"<h2>{code}: " in html
        assert (kind.command or str(kind.mend)) in html
    assert "on their way" in html
    assert not INLINE.findall(html)


def test_an_example_links_to_both_sides_and_its_messages(browser: Client) -> None:
    books.write(1, each=0)
    book = books.plant(books.other_amount)
    html = html_of(browser, reconciled())
    assert "49.00 USD" in html
    assert "50.00 USD" in html
    assert f"source=shop.payment&amp;source_pk={book.payment.pk}" in html
    assert "/admin/partnerstack/transaction/" in html
    assert f"shop.payment {book.payment.pk}" in html


def test_links_are_for_those_who_may_follow_them(staff: Callable[..., Client]) -> None:
    books.write(600)
    html = html_of(staff("view_reconciliationrun"), reconciled())
    assert "/admin/partnerstack/transaction/" not in html
    assert "/admin/partnerstack/outboxmessage/" not in html


def test_a_link_from_an_example_shows_its_messages(browser: Client) -> None:
    books.write(1, each=0)
    book = books.plant(books.failed)
    message = books.message_of(book)
    message.source, message.source_pk = "shop.payment", str(book.payment.pk)
    message.save()
    page = browser.get(
        "/admin/partnerstack/outboxmessage/",
        {"mode": "test", "source": "shop.payment", "source_pk": book.payment.pk},
    )
    assert list(page.context["cl"].result_list) == [message]
