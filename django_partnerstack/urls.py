"""Include it in the site's URLs: ``path("partnerstack/", include("django_partnerstack.urls"))``."""

from django.urls import path

from . import views

app_name = "partnerstack"
urlpatterns = [path("token/", views.token, name="token")]
