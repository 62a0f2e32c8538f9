"""The back office's pages of payment addresses."""

from apps.vpa.admin.verification import VerificationAdmin
from apps.vpa.admin.vpa import VpaAdmin

__all__ = ["VerificationAdmin", "VpaAdmin"]
