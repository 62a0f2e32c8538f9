"""Paths of the merchants service below /app/v1/: what payers' apps ask of merchants' links."""

from django.urls import path

from apps.merchants.api import intents

urlpatterns = [path("intents/resolve", intents.AppResolveView.as_view())]
