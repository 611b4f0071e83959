from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth import get_user_model, password_validation
from django.contrib.auth.forms import AuthenticationForm, UsernameField

from django_partnerstack.conf import conf
from django_partnerstack.models import Partnership


class SignUpForm(forms.Form):
    """A new account and its owner, who logs in with the e-mail address."""

    name = forms.CharField(label="Company", max_length=100)
    email = forms.EmailField(label="E-mail", max_length=150)
    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))
    partner_key = forms.CharField(
        label="Partner who referred you",
        max_length=255,
        required=False,
        help_text="A partner's key, such as partner1. Empty if you followed a link or have no partner.",
    )

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].lower()
        if get_user_model().objects.filter(username=email).exists():
            raise forms.ValidationError("An account with this address exists.")
        return email

    def clean_partner_key(self) -> str:
        """PartnerStack rejects customers of unknown partners. The mirror contains all partners."""
        key = self.cleaned_data["partner_key"]
        partners = Partnership.objects.filter(mode=conf.mode, archived=False, missing_since=None)
        if key and not partners.filter(partner_key=key).exists():
            raise forms.ValidationError("There is no such partner in this site's database.")
        return key

    def clean(self) -> dict[str, Any]:
        owner = get_user_model()(email=self.cleaned_data.get("email", ""))
        if password := self.cleaned_data.get("password"):
            try:
                password_validation.validate_password(password, owner)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return self.cleaned_data


class ExampleIdForm(forms.Form):
    """What the identity provider knows about a user."""

    name = forms.CharField(label="Name", max_length=100, initial="Grace Ltd")
    email = forms.EmailField(label="E-mail", max_length=150, initial="grace@example.com")


class LogInForm(AuthenticationForm):
    username = UsernameField(label="E-mail", widget=forms.TextInput(attrs={"autofocus": True}))


class AmountForm(forms.Form):
    amount = forms.DecimalField(max_digits=12, decimal_places=2, min_value=Decimal("0.01"))
