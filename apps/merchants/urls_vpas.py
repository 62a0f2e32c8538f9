"""Paths of the VPA service for merchants, below /v1/."""

from django.urls import path

from apps.merchants.api import verifications

urlpatterns = [
    path("vpas/verify", verifications.VerificationsView.as_view()),
    path("vpas/verify/<str:verification_id>", verifications.VerificationView.as_view()),
]
