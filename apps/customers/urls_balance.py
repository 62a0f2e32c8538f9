"""Paths of the balance service, below /app/v1/."""

from django.urls import path

from apps.customers.api import balance

urlpatterns = [
    path("balance-enquiries", balance.BalanceEnquiriesView.as_view()),
    path("balance-enquiries/<str:request_id>", balance.BalanceEnquiryView.as_view()),
]
