from django_partnerstack import sources

from .models import Account, Payment


@sources.customer(Account)
def account(account: Account) -> sources.CustomerData | sources.Skipped:
    if account.email.endswith("@unknown.example"):
        return sources.Skipped("The address is not known yet.")
    return sources.CustomerData(email=account.email, name=account.name, partner_key=account.partner_key)


@sources.transaction(Payment)
def payment(payment: Payment) -> sources.TransactionData | sources.Skipped:
    if not payment.paid:
        return sources.Skipped("Not paid yet.")
    return sources.TransactionData(
        key=f"payment-{payment.pk}",
        customer=payment.account,
        amount=payment.total,
        currency=payment.currency,
    )
