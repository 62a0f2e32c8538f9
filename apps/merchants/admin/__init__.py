"""The back office's pages of merchants: to look at, never to edit."""

from apps.merchants.admin.api_key import ApiKeyAdmin
from apps.merchants.admin.merchant import MerchantAdmin
from apps.merchants.admin.order import OrderAdmin
from apps.merchants.admin.qr_code import QrCodeAdmin
from apps.merchants.admin.webhook import WebhookDeliveryAdmin, WebhookEndpointAdmin

__all__ = [
    "ApiKeyAdmin",
    "MerchantAdmin",
    "OrderAdmin",
    "QrCodeAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
]
