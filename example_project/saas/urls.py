from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from . import example_id, views
from .forms import LogInForm

urlpatterns = [
    path("", views.home, name="home"),
    path("tour/", views.tour, name="tour"),
    path("pricing/", views.pricing, name="pricing"),
    path("sign-up/", views.sign_up, name="sign_up"),
    path("sign-up/example-id/", example_id.begin, name="begin_example_id"),
    path("sign-up/example-id/return/", example_id.end, name="end_example_id"),
    path("example-id/", example_id.authorize, name="example_id"),
    path(
        "log-in/",
        LoginView.as_view(template_name="saas/log_in.html", authentication_form=LogInForm),
        name="login",
    ),
    path("log-out/", LogoutView.as_view(), name="logout"),
    path("billing/", views.show_billing, name="billing"),
    path("billing/charge/", views.charge, name="charge"),
    path("billing/payments/<int:pk>/refund/", views.refund, name="refund"),
]
