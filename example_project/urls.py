from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("partnerstack/", include("django_partnerstack.urls")),
    path("", include("example_project.saas.urls")),
]
