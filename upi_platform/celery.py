"""Celery: commands inside an app. A message is only a wake-up; the row is the truth."""

import gc
import os
import sys
from typing import Any

from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_init, worker_process_init
from django.db import close_old_connections
from kombu import Exchange, Queue

from hsm.errors import TokenUnfitError
from hsm.starting import audit_keys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upi_platform.settings.development")

QUEUES = ("default", "payments", "upi", "accounts", "customers", "vpa", "merchants", "messaging")

app = Celery("upi_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_default_queue="default",
    # A wake-up that dies with its worker is found by the sweeper: it need not stay in Redis until
    # it is done.
    task_queues=[Queue(name, Exchange(name), routing_key=name, no_ack=True) for name in QUEUES],
    task_routes={f"{name}.*": {"queue": name} for name in QUEUES},
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "socket_timeout": 5.0,
        "socket_connect_timeout": 0.2,
        "visibility_timeout": 3600,
    },
    worker_hijack_root_logger=False,
    task_time_limit=120,
    # Celery would close the database connection around every task; see `_keep_connections`.
    CELERY_DB_REUSE_MAX=sys.maxsize,
)
app.autodiscover_tasks()


@task_prerun.connect
@task_postrun.connect
def _keep_connections(**signal: Any) -> None:
    """Close connections that broke or are old, as Django does around requests; keep the others."""
    del signal
    close_old_connections()


@worker_init.connect
def audit_keys_first(**_: Any) -> None:
    """Audit the token's keys before any task; beside a wrong one the worker ends."""
    try:
        audit_keys()
    except TokenUnfitError as error:
        raise SystemExit(f"hsm_token_unfit: {error}") from error


@worker_process_init.connect
def settle_memory(**_: Any) -> None:
    """Keep what was loaded at the start out of every later garbage collection."""
    gc.collect()
    gc.freeze()
