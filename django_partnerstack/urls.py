"""Include it in the site's URLs: ``path("partnerstack/", include("django_partnerstack.urls"))``."""

from django.urls import path

from . import views

app_name = "partnerstack"
urlpatterns = [
    path("token/", views.token, name="token"),
    path("webhooks/<str:secret>/", views.webhook, name="webhook"),
    # Django would redirect a URL without the slash, and so lose the body.
    path("webhooks/<str:secret>", views.webhook),
]
