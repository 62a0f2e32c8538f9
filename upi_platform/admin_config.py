"""Makes the back office's site the default admin site, so that apps register on it."""

from django.contrib.admin.apps import AdminConfig


class PlatformAdminConfig(AdminConfig):
    """The admin app with our site behind a second factor."""

    default_site = "upi_platform.admin_site.PlatformAdminSite"
