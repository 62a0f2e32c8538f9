"""Paths of the payments service for merchants, below /v1/."""

from django.urls import path

from apps.payments.api import merchant

urlpatterns = [
    path("payments", merchant.MerchantPaymentsView.as_view()),
    path("payments/<str:payment_id>", merchant.MerchantPaymentView.as_view()),
]
