from django.contrib import admin

from django_partnerstack.admin import PushToPartnerStackMixin

from .models import Account, Payment


@admin.register(Account)
class AccountAdmin(PushToPartnerStackMixin, admin.ModelAdmin):
    pass


@admin.register(Payment)
class PaymentAdmin(PushToPartnerStackMixin, admin.ModelAdmin):
    pass
