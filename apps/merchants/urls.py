"""Paths of the merchants service, below /v1/."""

from django.urls import path

from apps.merchants.api import intents, orders, qr_codes, webhooks

urlpatterns = [
    path("orders", orders.OrdersView.as_view()),
    path("orders/<str:order_id>", orders.OrderView.as_view()),
    path("intents", intents.IntentsView.as_view()),
    path("intents/resolve", intents.ResolveView.as_view()),
    path("qr_codes", qr_codes.QrCodesView.as_view()),
    path("qr_codes/<str:code_id>", qr_codes.QrCodeView.as_view()),
    path("qr_codes/<str:code_id>/revocations", qr_codes.RevocationsView.as_view()),
    path("webhook_endpoints", webhooks.EndpointsView.as_view()),
    path("webhook_endpoints/<str:endpoint_id>", webhooks.EndpointView.as_view()),
    path(
        "webhook_endpoints/<str:endpoint_id>/secret-rotations",
        webhooks.SecretRotationsView.as_view(),
    ),
    path("webhook_endpoints/<str:endpoint_id>/deliveries", webhooks.DeliveriesView.as_view()),
]
