"""Each table of the app that can contain personal data is erased."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models

from django_partnerstack.privacy.person import Person
from django_partnerstack.privacy.places.all_places import PLACES

#: The tables that no customer is described in, and why.
IMPERSONAL = {
    "Group": "of partners",
    "Partnership": "a partner",
    "OutboxLane": "a key, which is replaced with the tombstone",
    "CustomerIdentity": "keys, which are replaced with the tombstone",
    "ForgottenCustomer": "a key",
    "Tombstone": "a hash",
    "SyncSeen": "PartnerStack's own keys",
    "WebhookCounter": "numbers",
}
TEXTS = (models.CharField, models.TextField, models.JSONField)


@pytest.mark.django_db
def test_every_table_with_texts_is_erased_or_is_about_no_customer() -> None:
    person = Person("test", "default", "account-1", "account-1")
    erased = {place.rows(person).model.__name__ for place in PLACES}
    tables = {
        model.__name__
        for model in apps.get_app_config("partnerstack").get_models()
        if any(isinstance(field, TEXTS) and field.name != "mode" for field in model._meta.fields)
    }
    assert tables == erased | set(IMPERSONAL)
    assert not erased & set(IMPERSONAL)
