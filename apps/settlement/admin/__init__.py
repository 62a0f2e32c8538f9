"""Settlement's pages of the back office."""

from apps.settlement.admin.host_file import HostFileAdmin

__all__ = ["HostFileAdmin"]
