from django.contrib import admin

from .models import Account, Payment


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    list_display = ("name", "owner", "partner_key", "created_at")
    search_fields = ("name", "owner__email", "partner_key")


@admin.register(Payment)
class PaymentAdmin(admin.ModelAdmin):
    list_display = ("key", "account", "amount", "currency", "paid", "refunded", "created_at")
    list_filter = ("paid", "currency")
    list_select_related = ("account",)
    readonly_fields = ("refunded",)
