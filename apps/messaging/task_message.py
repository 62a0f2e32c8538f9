"""
The message that starts a Celery task, written as the broker's queue holds it.

A wake-up carries nothing but its name, so the whole message is a few lines of JSON: to have it made
by the general client costs ten times the processor time of sending it. What is written here is
Celery's task message protocol, version 2, in the envelope of kombu's transport for Redis; a test
has a message of Celery's own making and ours compared.
"""

import base64
import datetime as dt
import functools
import uuid

import orjson
from celery import current_app

# Arguments, named arguments, and what follows the task: nothing of either.
_BODY = base64.b64encode(
    orjson.dumps([[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
).decode()
_PERSISTENT = 2


def queue_of(task: str) -> str:
    """Return the queue in which the workers of a task look."""
    return _queue(current_app.main, task)


@functools.cache
def _queue(_application: str, task: str) -> str:
    name: str = current_app.amqp.router.route({}, task)["queue"].name
    return name


def task_message(task: str, *, expires_at: dt.datetime) -> bytes:
    """Return the message of a task without arguments that nobody waits for."""
    task_id = str(uuid.uuid4())
    return orjson.dumps(
        {
            "body": _BODY,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                "lang": "py",
                "task": task,
                "id": task_id,
                "root_id": task_id,
                "parent_id": None,
                "group": None,
                "eta": None,
                "expires": expires_at.isoformat(),
                "retries": 0,
                "timelimit": [None, None],
                "argsrepr": "()",
                "kwargsrepr": "{}",
                "ignore_result": None,
            },
            "properties": {
                "correlation_id": task_id,
                "delivery_mode": _PERSISTENT,
                "delivery_info": {"exchange": "", "routing_key": queue_of(task)},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": task_id,
            },
        }
    )
