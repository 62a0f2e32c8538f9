"""Paths of the VPA service, below /app/v1/."""

from django.urls import path

from apps.vpa.api import verifications, vpas

urlpatterns = [
    path("vpas", vpas.VpasView.as_view()),
    path("vpas/resolution", vpas.ResolutionView.as_view()),
    path("vpas/verify", verifications.VerificationsView.as_view()),
    path("vpas/verify/<str:verification_id>", verifications.VerificationView.as_view()),
    path("vpas/<str:vpa_id>", vpas.VpaView.as_view()),
    path("vpas/<str:vpa_id>/account", vpas.VpaAccountView.as_view()),
]
