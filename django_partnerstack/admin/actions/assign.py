"""The form that attributes a customer to a partner."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import track
from ...conf import conf
from ...exceptions import AlreadyReported, InvalidArgument, InvalidTransition
from ...insight import find
from ...models import Attribution, Customer, Partnership
from ..display.links import admin_url

#: How many partners the form suggests.
SUGGESTED = 200


class AssignForm(forms.Form):
    customer_key = forms.CharField(
        label=gettext_lazy("Customer"),
        max_length=255,
        help_text=gettext_lazy(
            "Its customer key, its e-mail address, or the primary key of the site's object."
        ),
    )
    partner_key = forms.CharField(
        label=gettext_lazy("Partner key"),
        max_length=255,
        help_text=gettext_lazy("A partner in the mirror, or any other partner at PartnerStack."),
        widget=forms.TextInput(attrs={"list": "partnerstack-partners", "autocomplete": "off"}),
    )

    def clean_customer_key(self) -> str:
        found = find(self.cleaned_data["customer_key"], mode=conf.mode)
        if not found:
            text = _("There is no such customer in {mode} mode.")
            raise forms.ValidationError(text.format(mode=conf.mode))
        if len(found) > 1:
            text = _("Several customers match; give a customer key: {keys}.")
            raise forms.ValidationError(text.format(keys=", ".join(found)))
        return found[0]


def present_partners() -> QuerySet[Partnership]:
    return Partnership.objects.filter(mode=conf.mode, archived=False, missing_since=None)


def may_assign(request: HttpRequest) -> bool:
    return request.user.has_perm("partnerstack.assign_attribution")


def assign_url(row: Attribution, request: HttpRequest) -> str:
    """The form's URL, for users who may assign; empty once PartnerStack has the customer."""
    reported = Customer.objects.filter(mode=row.mode, customer_key=row.customer_key)
    if row.mode != conf.mode or not may_assign(request) or reported.exists():
        return ""
    return f"{admin_url(Attribution, 'assign')}?{urlencode({'customer': row.customer_key})}"


def assign_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The page of the form; ``?customer=`` fills in the customer."""
    if not may_assign(request):
        raise PermissionDenied
    form = AssignForm(request.POST or None, initial={"customer_key": request.GET.get("customer", "")})
    if form.is_valid():
        try:
            return _assign(model_admin, request, form)
        except (AlreadyReported, InvalidArgument, InvalidTransition) as error:
            form.add_error(None, str(error))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Assign a partner"),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "form": form,
        "partners": present_partners()[:SUGGESTED],
    }
    return TemplateResponse(request, "admin/partnerstack/attribution/assign.html", context)


def _assign(model_admin: Any, request: HttpRequest, form: AssignForm) -> HttpResponse:
    customer_key, partner_key = form.cleaned_data["customer_key"], form.cleaned_data["partner_key"]
    attributions = Attribution.objects.filter(mode=conf.mode, customer_key=customer_key)
    with transaction.atomic(router.db_for_write(Attribution)):
        before = attributions.values_list("partner_key", flat=True).first()
        track.assign(customer_key, partner_key, by=request.user.get_username())
        attribution = attributions.get()
        text = f"Assigned partner {partner_key}, previously {before or 'none'}."
        model_admin.log_change(request, attribution, text)
    done = _("Customer {customer} is now attributed to partner {partner}.").format(
        customer=customer_key, partner=partner_key
    )
    model_admin.message_user(request, done, messages.SUCCESS)
    if not present_partners().filter(partner_key=partner_key).exists():
        unknown = _(
            "The mirror has no partner {partner}. If PartnerStack has none either, it rejects the customer."
        )
        model_admin.message_user(request, unknown.format(partner=partner_key), messages.WARNING)
    return redirect(admin_url(Attribution, "change", attribution.pk))
