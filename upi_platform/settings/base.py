"""Settings that hold everywhere."""

from pathlib import Path

from upi_platform.settings.backoffice import *
from upi_platform.settings.env import database, environment
from upi_platform.settings.observability import *
from upi_platform.settings.upi import *

BASE_DIR = Path(__file__).resolve().parent.parent.parent
SECRET_KEY = environment.django_secret_key.get_secret_value()
DEBUG = False
ALLOWED_HOSTS = environment.allowed_hosts.split(",")
PUBLIC_URL = environment.public_url
UPI_SERVICES = tuple(environment.upi_services.split(","))
METRICS_ARE_SHARED = bool(environment.prometheus_multiproc_dir)
# Its requests wait in threads, and give their database connection back while they do.
IS_LIVE_ONLY = UPI_SERVICES == ("live",)
# Its client is one machine, which has no session, no browser and no form.
IS_RECEIVER_ONLY = UPI_SERVICES == ("receiver",)
LIVE_CONNECTIONS_MAX = 8

INSTALLED_APPS = [
    "apps.operators",
    "unfold.apps.BasicAppConfig",  # the default one would put its own admin site in place of ours
    "upi_platform.admin_config.PlatformAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "hsm",
    "apps.messaging",
    "apps.upi",
    "apps.ledger",
    "apps.accounts",
    "apps.risk",
    "apps.customers",
    "apps.vpa",
    "apps.merchants",
    "apps.payments",
    "apps.settlement",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "upi_platform.middleware.RequestContextMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

if IS_RECEIVER_ONLY:
    MIDDLEWARE = [
        "upi_platform.middleware.RequestContextMiddleware",
        "django.middleware.common.CommonMiddleware",
    ]

ROOT_URLCONF = "upi_platform.urls"
WSGI_APPLICATION = "upi_platform.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "upi_platform" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASE_APP_ROLE = "upi_app"
DATABASES = {
    "default": database(
        environment.database_url,
        role="app",
        pool_size=LIVE_CONNECTIONS_MAX if IS_LIVE_ONLY else 0,
    ),
    # The owner migrates and, in tests, empties tables; no service ever uses it.
    "owner": database(environment.database_owner_url, role="owner", connection_age_seconds=0),
    "replica": database(
        environment.database_replica_url or environment.database_url, role="replica"
    ),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = f"{environment.redis_url}/{environment.redis_first_database}"
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": 0.2,
            "SOCKET_TIMEOUT": 0.2,
            # Not pickle: whoever could write to Redis would run code here.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
        },
        "KEY_PREFIX": "upi",
    }
}
CELERY_BROKER_URL = f"{environment.redis_url}/{environment.redis_first_database + 1}"

AUTH_USER_MODEL = "operators.Operator"
AUTHENTICATION_BACKENDS = ["apps.operators.backends.OperatorBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
SESSION_COOKIE_AGE = 30 * 60
SESSION_COOKIE_HTTPONLY = True
LOGIN_URL = "admin:login"
OTP_TOTP_ISSUER = "UPI platform"

LANGUAGE_CODE = "en-in"
TIME_ZONE = "Asia/Kolkata"
USE_TZ = True
USE_I18N = False
STATIC_URL = "/static/"
STATIC_ROOT: Path | None = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["apps.common.strict_json.StrictJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["apps.common.strict_json.OrjsonRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.common.problem.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "UPI platform",
    "DESCRIPTION": "REST API of the bank's UPI platform: `/app/v1` for apps, `/v1` for merchants.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "AccountRequestKindEnum": ["OTP", "PIN_REGISTRATION", "PIN_CHANGE", "BALANCE"],
        "VpaKindEnum": ["PERSON", "ENTITY"],
        "QrCodeKindEnum": ["static", "dynamic"],
        "QrCodeStatusEnum": ["active", "expired", "revoked"],
        "MandateKindEnum": ["create", "update", "revoke"],
        "DeviceTokenKindEnum": ["initial", "rotate", "reset"],
        "LinkPayeeKindEnum": ["person", "merchant"],
        "LinkSourceEnum": ["camera", "image", "link"],
        "AccountRequestStatusEnum": ["pending", "succeeded", "failed"],
        "PaymentStatusEnum": ["created", "pending", "succeeded", "failed"],
        "OrderStatusEnum": ["created", "paid", "expired"],
        "WebhookEndpointStatusEnum": ["active", "disabled"],
        "WebhookDeliveryStatusEnum": ["pending", "delivered", "failed"],
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

# django-csp. The back office's theme evaluates expressions in its templates (Alpine.js) and sets
# styles on elements; nothing is ever loaded from elsewhere, and no script stands in a page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
