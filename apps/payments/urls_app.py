"""Paths of the payments service for apps, below /app/v1/."""

from django.urls import path

from apps.payments.api import app, collects

urlpatterns = [
    path("payments", app.PaymentsView.as_view()),
    path("payments/<str:transaction_id>", app.PaymentView.as_view()),
    path("collects", collects.CollectsView.as_view()),
    path("collects/blocked/<str:address>", collects.BlockedRequesterView.as_view()),
    path("collects/<str:transaction_id>", collects.CollectView.as_view()),
    path("collects/<str:transaction_id>/approvals", collects.CollectApprovalsView.as_view()),
    path("collects/<str:transaction_id>/declines", collects.CollectDeclinesView.as_view()),
]
