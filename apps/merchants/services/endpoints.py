"""Register webhook endpoints, rotate their secrets, give them up."""

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import F

from apps.common.secret import Secret
from apps.merchants import webhook_signature
from apps.merchants.destination import read_url
from apps.merchants.models import WebhookDelivery, WebhookEndpoint

ROTATION_OVERLAP = dt.timedelta(hours=24)


def register_endpoint(
    url: str, *, merchant_id: uuid.UUID, is_live: bool, at: dt.datetime
) -> tuple[WebhookEndpoint, Secret[bytes]]:
    """
    Register a URL and return it with its signing secret.

    Raises InvalidUrlError, HttpsRequiredError, ForbiddenDestinationError.
    """
    read_url(url)
    endpoint = WebhookEndpoint.objects.create(
        merchant_id=merchant_id, is_live=is_live, url=url, created_at=at
    )
    return endpoint, webhook_signature.secret_of(endpoint.pk, endpoint.secret_version)


def rotate_secret(endpoint: WebhookEndpoint, *, at: dt.datetime) -> Secret[bytes]:
    """Give the endpoint a new secret; for a day, deliveries are signed by both."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        secret_version=F("secret_version") + 1, previous_secret_until_at=at + ROTATION_OVERLAP
    )
    endpoint.refresh_from_db()
    return webhook_signature.secret_of(endpoint.pk, endpoint.secret_version)


def secrets_of(endpoint: WebhookEndpoint, *, at: dt.datetime) -> list[Secret[bytes]]:
    """Return the secrets that sign now, the present one first."""
    versions = [endpoint.secret_version]
    until = endpoint.previous_secret_until_at
    if until is not None and at < until:
        versions.append(endpoint.secret_version - 1)
    return [webhook_signature.secret_of(endpoint.pk, version) for version in versions]


@transaction.atomic(durable=True)
def delete_endpoint(endpoint: WebhookEndpoint, *, at: dt.datetime) -> None:
    """Call an endpoint no more; what it was owed is given up."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(state=WebhookEndpoint.State.DELETED)
    give_up_deliveries(endpoint.pk, at=at)


def give_up_deliveries(endpoint_id: uuid.UUID, *, at: dt.datetime) -> None:
    """End the deliveries that an endpoint still waits for."""
    WebhookDelivery.objects.filter(
        endpoint_id=endpoint_id, state=WebhookDelivery.State.PENDING
    ).update(state=WebhookDelivery.State.FAILED, ended_at=at, claim=None, next_action_at=None)
