"""Connects checks, sources, receivers and tasks when Django starts."""

from django.apps import AppConfig
from django.core.signals import setting_changed
from django.db.models.signals import post_save
from django.utils.module_loading import autodiscover_modules


class PartnerStackConfig(AppConfig):
    name = "django_partnerstack"
    label = "partnerstack"
    verbose_name = "PartnerStack"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, connection, dispatch, receivers
        from .signals import message_queued, objects_synced

        checks.register()
        autodiscover_modules("partnerstack")
        post_save.connect(receivers.report_saved, dispatch_uid="partnerstack.report_saved")
        receivers.follow_deletions()
        setting_changed.connect(receivers.follow_deletions, dispatch_uid="partnerstack.follow_deletions")
        message_queued.connect(receivers.wake_worker, dispatch_uid="partnerstack.wake_worker")
        objects_synced.connect(
            receivers.queue_waiting_messages, dispatch_uid="partnerstack.queue_waiting_messages"
        )
        dispatch.register_celery_tasks()
        connection.guard_test_runs()
