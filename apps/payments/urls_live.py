"""Paths of the live service, below /live/v1/: requests that wait."""

from django.urls import path

from apps.payments.api import live

urlpatterns = [path("payments/<str:payment_id>", live.LivePaymentView.as_view())]
