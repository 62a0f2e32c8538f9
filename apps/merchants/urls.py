"""Paths of the merchants service, below /v1/."""

from django.urls import path

from apps.merchants.api import orders

urlpatterns = [
    path("orders", orders.OrdersView.as_view()),
    path("orders/<str:order_id>", orders.OrderView.as_view()),
]
