from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from . import views
from .forms import LogInForm

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-up/", views.sign_up, name="sign_up"),
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
