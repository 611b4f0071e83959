from django.contrib import admin

from django_partnerstack.admin import PushToPartnerStackMixin

from .models import Account, Payment


@admin.register(Account)
class AccountAdmin(PushToPartnerStackMixin, admin.ModelAdmin):
    list_display = ("name", "owner", "partner_key", "created_at")
    search_fields = ("name", "owner__email", "partner_key")


@admin.register(Payment)
class PaymentAdmin(PushToPartnerStackMixin, admin.ModelAdmin):
    list_display = ("key", "account", "amount", "currency", "paid", "refunded", "created_at")
    list_filter = ("paid", "currency")
    list_select_related = ("account",)
    readonly_fields = ("refunded",)
