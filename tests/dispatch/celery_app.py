"""The Celery app of a site, as in Celery's documentation."""

from celery import Celery

app = Celery("site")
app.config_from_object("django.conf:settings", namespace="CELERY")
