"""Objects of the site that could not be reported."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import KeyField
from .mirror import Mode


class SourceFailure(models.Model):
    """
    An object that could not be reported, because its source raised an error or its data cannot be used.

    Deleted as soon as the object is reported.
    """

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    #: The object, as "app.model" and primary key.
    source = KeyField(_("source"), max_length=200)
    source_pk = KeyField(_("source's primary key"))
    operation = models.CharField(_("operation"), max_length=40)
    error = models.TextField(_("error"))
    first_failed_at = models.DateTimeField(_("first failed"))
    last_failed_at = models.DateTimeField(_("last failed"))
    times = models.PositiveIntegerField(_("times"), default=1)

    class Meta:
        verbose_name = _("source error")
        verbose_name_plural = _("source errors")
        ordering = ("-last_failed_at", "-pk")
        default_permissions = ("add", "change", "delete", "view", "report")
        constraints = (
            models.UniqueConstraint(
                fields=["mode", "source", "source_pk"], name="partnerstack_sourcefailure_object"
            ),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.source_pk}"
