"""The composition root: it knows every app, and no app knows it."""

from upi_platform.celery import app as celery_app

__all__ = ["celery_app"]
