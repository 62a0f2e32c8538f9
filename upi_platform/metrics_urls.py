"""The path of the metrics."""

from django.urls import path

from upi_platform import metrics

urlpatterns = [path("metrics", metrics.show)]
