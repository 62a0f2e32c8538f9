"""The bank's place on UPI, and every limit of time and size that the engine obeys."""

import datetime as dt
from decimal import Decimal
from typing import Any

from upi_platform.settings.env import environment

# Who we are on the wire (upi-protocol: participants). Synthetic values of the sandbox world.
UPI_ORG_ID = "900001"
UPI_ID_PREFIX = "EXB"
UPI_HANDLES = ("exbank",)
UPI_IFSC = "EXBK0000001"
UPI_BANK_CODE = "EXB"
UPI_SWITCH_ORG_ID = "NPCI"
UPI_SWITCH_URL = environment.switch_url
# A connection rests so long, a little below the 75 s after which peers usually close: a request on
# a connection that is closing is silence. Sooner, and each message would cost a handshake.
UPI_SWITCH_KEEP_ALIVE_SECONDS = 60
UPI_TLS_CA = environment.upi_tls_ca
UPI_TLS_CERTIFICATE = environment.upi_tls_certificate
UPI_TLS_KEY = environment.upi_tls_key
KEYS_DIRECTORY = environment.keys_directory
SMS_GATEWAY_URL = environment.sms_gateway_url
# Where the months go that have left the database: a disk of its own, encrypted, with backups.
PARTITION_ARCHIVE_DIRECTORY = environment.partition_archive_directory

# Timers are dated rows (apps.upi.timers, docs/TIMERS.md). A factor on those that wait for somebody
# else, and timers that stand in for their rows: 1 and none in production, for tests otherwise.
UPI_TIMER_SCALE = Decimal(environment.upi_timer_scale)
UPI_TIMERS_FIXED: dict[str, float] = {}
# Circular OC-215: at most three status checks of a payment.
UPI_CHECKS_MAX = 3
# upi-protocol 1.5 and 7.2: how long a payer may think about a collect, in minutes on the wire.
UPI_COLLECT_MINUTES_DEFAULT = 30
UPI_COLLECT_MINUTES_MAX = 64_800
# upi-protocol 7.8: an online refund names a payment of the last 90 days.
UPI_REFUND_DAYS_MAX = 90
UPI_HEARTBEATS_MISSED_MAX = 3
# When the directory is pulled each day, Indian time: long before the first peak.
UPI_DIRECTORY_PULL_AT = dt.time(2, 30)
UPI_MESSAGE_BYTES_MAX = 256 * 1024
# Of a receiver process: its threads are eight, and the other five never wait behind questions.
UPI_QUESTIONS_AT_ONCE = 3
UPI_QUESTIONS_PER_SECOND = 50

# Claims: how long a piece of work is ours, and how much of it at once.
LEASE_PIN_SECONDS = 5
LEASE_WIRE_SECONDS = 10
LEASE_POST_SECONDS = 10
CLAIM_POST_MAX = 500
CLAIM_PIN_MAX = 64
CLAIM_SEND_MAX = 32
DRAIN_ROUNDS_MAX = 20
CLAIM_ATTEMPTS_MAX = 5

# A core-banking host that was silent: the seconds before each enquiry, and before each repeat of a
# cancellation; after the last it is parked (docs/PAYMENTS.md). A reversal's last repeats for ever.
HOST_ENQUIRY_SECONDS = (2.0, 3.0, 10.0, 15.0)
HOST_CANCEL_SECONDS = (0.0, 5.0, 30.0, 120.0, 600.0, 600.0, 600.0)
# How soon what could not even be asked is tried again.
HOST_RETRY_SECONDS = 1.0

# The composition root's doors upward, as dotted names.
UPI_ROUTES = "upi_platform.upi_routes.ROUTES"
OPERATORS_KEY_USES = "upi_platform.key_uses.KEY_USES"
MESSAGING_SWEEPS = "upi_platform.sweeps.SWEEPS"
MESSAGING_PURGES = "upi_platform.sweeps.PURGES"
PARTITION_RETENTIONS = "upi_platform.retention.RETENTIONS"
PARTITION_ROW_RETENTIONS = "upi_platform.retention.ROW_RETENTIONS"
MESSAGING_CONSUMERS = "upi_platform.consumers.CONSUMERS"
MESSAGING_CHECK_EVENTS = False
MESSAGING_IDEMPOTENCY_KEY_LIFE_HOURS = 72

# docs/iso8583.md says what each option of the host's adapter is.
_CORE_BANKINGS: dict[str, dict[str, Any]] = {
    "ledger": {"BACKEND": "apps.accounts.core_banking.ledger.LedgerCoreBanking", "OPTIONS": {}},
    "iso8583": {
        "BACKEND": "apps.accounts.core_banking.iso8583.Iso8583CoreBanking",
        "OPTIONS": {
            "address": environment.core_banking_host,
            "organisation": environment.core_banking_host_organisation,
            "tls_ca": environment.core_banking_tls_ca or environment.upi_tls_ca,
            "tls_certificate": environment.core_banking_tls_certificate
            or environment.upi_tls_certificate,
            "tls_key": environment.core_banking_tls_key or environment.upi_tls_key,
            "profile": environment.core_banking_profile,
            "acquirer": UPI_ORG_ID,
            "terminals": ("EXBUPI01", "EXBUPI02", "EXBUPI03", "EXBUPI04"),
        },
    },
}
CORE_BANKING = _CORE_BANKINGS[environment.core_banking]

# Where the host's day files are: the business day is added as /YYYY-MM-DD. After midnight, Indian
# time, they are fetched from HOST_FILE_AT on; one that is not there yet is asked for again, and of
# days that were missed so many at once.
CORE_BANKING_FILES_URL = environment.core_banking_files_url
HOST_FILE_AT = dt.time(0, 30)
HOST_FILE_RETRY_SECONDS = 600
HOST_FILE_DAYS_MAX = 31

# Keys in the token, by label (hsm.configuration).
HSM_SIGNING_KEY = "xml-signing-1"
HSM_ISSUER_KEY = "issuer-20261101"
HSM_PIN_KEY = "pin-verification-1"
HSM_MAC_KEY = "mac-1"
# The first signs payment links; the others still verify what they signed.
HSM_URI_KEYS = ("uri-ec-1", "uri-rsa-1")
# Core banking's host makes the MAC key, and wraps it for our transport key.
HSM_HOST_MAC_KEY = "host-mac-1"
HSM_HOST_TRANSPORT_KEY = "host-transport-1"
# Without it no call to such a host could be sealed or believed.
HSM_HOST_MAC_IS_NEEDED = environment.core_banking == "iso8583"
# Nobody makes or takes in a key alone: `manage.py key_ceremony` does what two officers decided.
HSM_KEYS_BY_CEREMONY = True
# upi-protocol 6.3: one text speaks of RSA keys of 512 bits; nobody should have them any more.
UPI_LINK_RSA_BITS_MIN = 2048
PKCS11_MODULE = environment.pkcs11_module
PKCS11_TOKEN_LABEL = environment.pkcs11_token_label
PKCS11_USER_PIN = environment.pkcs11_user_pin.get_secret_value()
PKCS11_SO_PIN = environment.pkcs11_so_pin.get_secret_value()

KAFKA_BOOTSTRAP_SERVERS = environment.kafka_bootstrap_servers
WEBHOOK_ALLOW_PRIVATE = False
WEBHOOK_DEADLINE_SECONDS = 10
ORDER_LIFE_SECONDS_MAX = 45 * 24 * 3600
# upi-protocol 5.3: a phone's token is renewed after 45 to 90 days; the bound on asking is our own.
UPI_DEVICE_TOKEN_DAYS = 45
UPI_DEVICE_TOKENS_PER_DAY_MAX = 10
# A balance is handed to the app once, from memory, and never stored (circular OC-95).
BALANCE_HANDOVER_SECONDS = 60
VPA_REUSE_AFTER_DAYS = 183
VPA_CACHE_SECONDS = 30
# How many OTPs an account may ask for, without using one, while a locked PIN would stay locked.
OTPS_PER_DAY_MAX = 5
SESSION_LIFE_SECONDS = 15 * 60
CHALLENGE_LIFE_SECONDS = 60
FAULT_AT = environment.fault_at
FAULT_TRACE = environment.fault_trace
