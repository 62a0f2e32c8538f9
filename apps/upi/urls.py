"""The one path on which UPI messages come in."""

from django.urls import path

from apps.upi.endpoint import receive_message

urlpatterns = [
    path("upi/<str:api>/<str:version>/urn:txnid:<str:txn_id>", receive_message),
]
