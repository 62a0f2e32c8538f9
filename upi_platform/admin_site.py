"""The back office's admin site."""

from unfold.sites import UnfoldAdminSite


class PlatformAdminSite(UnfoldAdminSite):
    """Every page of the back office."""
