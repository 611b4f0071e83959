from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from django_partnerstack import track
from django_partnerstack.conf import conf
from django_partnerstack.models import Attribution, OutboxMessage
from django_partnerstack.track import RefundError

from . import billing
from .forms import AmountForm, SignUpForm
from .models import Account, Payment

PRICE = "49.00"


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "saas/home.html", {"price": PRICE})


def tour(request: HttpRequest) -> HttpResponse:
    return render(request, "saas/tour.html")


def pricing(request: HttpRequest) -> HttpResponse:
    return render(request, "saas/pricing.html", {"price": PRICE})


def sign_up(request: HttpRequest) -> HttpResponse:
    form = SignUpForm(request.POST or None)
    if form.is_valid():
        account = billing.sign_up(**form.cleaned_data)
        login(request, account.owner)
        return redirect("billing")
    return render(request, "saas/sign_up.html", {"form": form})


@login_required
def show_billing(request: HttpRequest) -> HttpResponse:
    account = Account.objects.filter(owner=request.user).first()
    if account is None:
        messages.warning(request, "You have no account here. Log out and sign up for an account.")
        return redirect("home")
    payments = list(account.payments.all())
    return render(
        request,
        "saas/billing.html",
        {
            "account": account,
            "attribution": attribution_of(account),
            "payments": [(payment, payment.amount - payment.refunded) for payment in payments],
            "reports": messages_about(payments),
            "price": PRICE,
        },
    )


@login_required
@require_POST
def charge(request: HttpRequest) -> HttpResponse:
    account = get_object_or_404(Account, owner=request.user)
    form = AmountForm(request.POST)
    if form.is_valid():
        payment = billing.charge(account, form.cleaned_data["amount"])
        messages.success(request, f"You have paid {payment}.")
    else:
        messages.error(request, form.errors["amount"][0])
    return redirect("billing")


@login_required
@require_POST
def refund(request: HttpRequest, pk: int) -> HttpResponse:
    payment = get_object_or_404(Payment, pk=pk, account__owner=request.user)
    form = AmountForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.errors["amount"][0])
        return redirect("billing")
    try:
        billing.refund(payment, form.cleaned_data["amount"])
    except RefundError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{form.cleaned_data['amount']} {payment.currency} refunded.")
    return redirect("billing")


def attribution_of(account: Account) -> Attribution | None:
    """The click that was saved when the account was created."""
    key = track.customer_key(account)
    return Attribution.objects.filter(mode=conf.mode, customer_key=key).first()


def messages_about(payments: list[Payment]) -> list[OutboxMessage]:
    """The messages about these payments, in sending order."""
    return list(
        OutboxMessage.objects.filter(subject__in=[payment.key for payment in payments]).order_by("pk")
    )
