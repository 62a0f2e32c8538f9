"""The WSGI application; UPI_SERVICES decides which services it is."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upi_platform.settings.development")
application = get_wsgi_application()
