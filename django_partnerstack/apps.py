from django.apps import AppConfig


class PartnerStackConfig(AppConfig):
    name = "django_partnerstack"
    label = "partnerstack"
    verbose_name = "PartnerStack"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks

        checks.register()
