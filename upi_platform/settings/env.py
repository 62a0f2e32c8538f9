"""The environment: the only place that reads environment variables."""

import os
from pathlib import Path
from typing import Any, Literal

from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

LOCAL_DIRECTORY = Path(os.environ.get("UPI_LOCAL_DIR", ".local"))


class Environment(BaseSettings):
    """
    What the platform is told from outside; it fails at start when something is missing.

    Values come from environment variables, else from the file that the local launcher writes.
    """

    model_config = SettingsConfigDict(env_file=LOCAL_DIRECTORY / "env", extra="ignore")

    database_url: str = "postgresql://upi_app@127.0.0.1/upi"
    database_owner_url: str = "postgresql://upi_owner@127.0.0.1/upi"
    database_replica_url: str = ""
    redis_url: str = "redis://127.0.0.1:6379"
    # The first of two logical databases: cache and wake-ups, then the broker.
    redis_first_database: int = 0
    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    pkcs11_module: str = "/usr/lib/softhsm/libsofthsm2.so"
    pkcs11_token_label: str = "upi-platform"
    pkcs11_user_pin: SecretStr = SecretStr("")
    pkcs11_so_pin: SecretStr = SecretStr("")
    django_secret_key: SecretStr = SecretStr("")
    public_url: str = "http://127.0.0.1:8000"
    allowed_hosts: str = "127.0.0.1,localhost"
    switch_url: str = "http://127.0.0.1:9301"
    # Mutual TLS with the switch: files in PEM form; without the first the wire is plain HTTP.
    upi_tls_ca: str = ""
    upi_tls_certificate: str = ""
    upi_tls_key: str = ""
    # Who keeps the customers' money: our own books, or a bank's host spoken to by ISO 8583.
    core_banking: Literal["ledger", "iso8583"] = "ledger"
    core_banking_host: str = "127.0.0.1:9303"
    # The organisation that the host's certificate must be of.
    core_banking_host_organisation: str = "EXBHOST"
    # Mutual TLS with the host; without files of its own it uses those of the switch's wire.
    core_banking_tls_ca: str = ""
    core_banking_tls_certificate: str = ""
    core_banking_tls_key: str = ""
    # Where the host's day files are; without it nobody fetches them.
    core_banking_files_url: str = ""
    # A bank's own field specification (docs/iso8583.md) instead of ours.
    core_banking_profile: str = ""
    # Where processes share what they measured; prometheus_client reads the variable itself.
    prometheus_multiproc_dir: str = ""
    sms_gateway_url: str = "http://127.0.0.1:9302"
    keys_directory: Path = LOCAL_DIRECTORY / "keys"
    partition_archive_directory: Path = LOCAL_DIRECTORY / "archive"
    upi_services: str = "all"
    upi_timer_scale: str = "1"
    fault_at: str = ""
    fault_trace: str = ""
    log_format: str = "json"
    log_level: str = "INFO"


# What a payment asks is found by an index. The planner cannot know how little of a queue is due,
# and once a table is long it would start processes of its own to look.
_ALONE = " -c max_parallel_workers_per_gather=0"


def database(
    url: str, *, role: str, connection_age_seconds: int = 60, pool_size: int = 0
) -> dict[str, Any]:
    """
    Turn a PostgreSQL address into a Django database entry for a process of ours.

    With `pool_size` the threads of a process share so many connections; each gives its own back
    when it waits for something else.
    """
    parts = conninfo_to_dict(url)
    pool = {"pool": {"min_size": 2, "max_size": pool_size, "timeout": 5}} if pool_size else {}
    return {
        "ENGINE": "apps.common.postgresql",
        "NAME": parts.get("dbname"),
        "USER": parts.get("user"),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": parts.get("port", ""),
        "CONN_MAX_AGE": 0 if pool_size else connection_age_seconds,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            **pool,
            "application_name": f"upi-{role}",
            "connect_timeout": 3,
            # A lock that is not had in five seconds is somebody's bug, not something to wait for.
            "options": f"-c lock_timeout=5000 -c timezone=UTC{_ALONE if role == 'app' else ''}",
            # Values travel beside the statement, so that a server parses and plans it once for a
            # connection; this also keeps them out of every log and view of statements.
            "server_side_binding": True,
            "prepare_threshold": 3,
        },
    }


environment = Environment()
