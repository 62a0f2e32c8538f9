"""Celery: commands inside an app. A message is only a wake-up; the row is the truth."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upi_platform.settings.development")

app = Celery("upi_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_default_queue="default",
    task_routes={
        f"{name}.*": {"queue": name}
        for name in ("payments", "upi", "accounts", "customers", "merchants", "messaging")
    },
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "socket_timeout": 5.0,
        "socket_connect_timeout": 0.2,
        "visibility_timeout": 3600,
    },
    worker_hijack_root_logger=False,
    task_time_limit=120,
)
app.autodiscover_tasks()
