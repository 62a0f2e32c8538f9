"""The back office, and the documentation of every API."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from upi_platform.errors_page import errors

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/", permanent=False)),
    path("admin/", admin.site.urls),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("docs/errors", errors, name="errors"),
    path(
        "docs/openapi",
        SpectacularAPIView.as_view(urlconf="upi_platform.documented_urls"),
        name="schema",
    ),
]
