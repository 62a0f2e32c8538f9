"""Paths of the payments service for merchants, below /v1/."""

from django.urls import path

from apps.payments.api import collects, merchant, refunds

urlpatterns = [
    path("payments", merchant.MerchantPaymentsView.as_view()),
    path("payments/<str:payment_id>", merchant.MerchantPaymentView.as_view()),
    path("payments/<str:payment_id>/refunds", refunds.PaymentRefundsView.as_view()),
    path("refunds", refunds.RefundsView.as_view()),
    path("refunds/<str:refund_id>", refunds.RefundView.as_view()),
    path("collects", collects.MerchantCollectsView.as_view()),
    path("collects/<str:collect_id>", collects.MerchantCollectView.as_view()),
]
