"""Paths of the payments service for apps, below /app/v1/."""

from django.urls import path

from apps.payments.api import app

urlpatterns = [
    path("payments", app.PaymentsView.as_view()),
    path("payments/<str:transaction_id>", app.PaymentView.as_view()),
]
