"""The back office's looks; its pages are found by upi_platform.admin_site."""

LOGIN_REDIRECT_URL = "admin:index"
# Half an hour without a request ends a session (SESSION_COOKIE_AGE), and so does a working day.
SESSION_SAVE_EVERY_REQUEST = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
BACKOFFICE_SESSION_HOURS_MAX = 10
FORMAT_MODULE_PATH = "upi_platform.formats"

UNFOLD = {
    "SITE_TITLE": "Back office",
    "SITE_HEADER": "UPI platform",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "account_balance",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.1% .013 250)",
            "100": "oklch(93.2% .032 250)",
            "200": "oklch(88.2% .059 251)",
            "300": "oklch(80.9% .105 252)",
            "400": "oklch(70.7% .165 254)",
            "500": "oklch(62.3% .188 257)",
            "600": "oklch(54.6% .205 260)",
            "700": "oklch(48.8% .2 262)",
            "800": "oklch(42.4% .17 264)",
            "900": "oklch(37.9% .13 265)",
            "950": "oklch(28.2% .085 267)",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "upi_platform.admin_site.navigation",
    },
}
