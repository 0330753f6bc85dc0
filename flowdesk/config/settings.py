"""Django's settings: everything that differs between machines comes from the environment.

`flowdesk run` sets the FLOWDESK_* variables for its children; a single command gets them from
`flowdesk.core.supervisor.connection`, tests from `tests.database`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from flowdesk.config.mail import mail_settings
from flowdesk.core.supervisor.secret_key import secret_key_in

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(os.environ.get("FLOWDESK_DATA") or BASE_DIR / ".data")

DEBUG = os.environ.get("FLOWDESK_DEBUG") == "1"
SECRET_KEY = os.environ.get("FLOWDESK_SECRET_KEY") or secret_key_in(DATA_DIR)
ALLOWED_HOSTS = os.environ.get("FLOWDESK_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

# -- apps and middleware ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "flowdesk.web",  # before allauth: our login page stands in for its own
    "allauth",
    "allauth.account",
    "axes",
    "csp",
    "django_htmx",
    "template_partials",
    "flowdesk.accounts",
    "flowdesk.policies",
    "flowdesk.people",
    "flowdesk.tickets",
    "flowdesk.sla",
    "flowdesk.escalation",
    "flowdesk.notifications",
    "flowdesk.automations",
    "flowdesk.hubs",
    "flowdesk.api",
]

AUTH_USER_MODEL = "accounts.User"

MIDDLEWARE = [
    "flowdesk.api.errors.Problems",  # outermost: below /api/ every failure is a problem document
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pads pages at random, so that their length tells no secret
    "flowdesk.web.static_files.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "flowdesk.config.urls"
WSGI_APPLICATION = "flowdesk.config.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

# -- database: three roles on one PostgreSQL ----------------------------------------------------------------

SINGLE_ROLE = os.environ.get("FLOWDESK_SINGLE_ROLE") == "1"  # row level security is off, said at every start
BEHIND_TRANSACTION_POOLER = os.environ.get("FLOWDESK_POOLER") == "transaction"

# A transaction pooler hands each transaction to another server connection: nothing prepared survives there.
CONNECTION_OPTIONS: dict[str, Any] = (
    {"prepare_threshold": None}
    if BEHIND_TRANSACTION_POOLER
    else {"server_side_binding": True, "prepare_threshold": 2}
)


def database(variable: str) -> dict[str, Any]:
    """One connection, from the libpq connection string in the environment variable."""
    dsn = conninfo_to_dict(os.environ.get(variable, "dbname=flowdesk"))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": dsn.pop("dbname", "flowdesk"),
        "USER": dsn.pop("user", ""),
        "PASSWORD": dsn.pop("password", ""),
        "HOST": dsn.pop("host", ""),
        "PORT": dsn.pop("port", ""),
        "OPTIONS": {**CONNECTION_OPTIONS, **dsn},
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": BEHIND_TRANSACTION_POOLER,
    }


DATABASES = {
    "default": database("FLOWDESK_APP_DSN"),  # serves people, one tenant at a time
    "owner": database("FLOWDESK_OWNER_DSN"),  # migrates; web and worker are not given its password
    "worker": database("FLOWDESK_WORKER_DSN"),  # claims and stamps what is due
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- language and time --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("sv", "Svenska")]
LOCALE_PATHS = [BASE_DIR / "flowdesk" / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "flowdesk.web.static_files.PrintedNames"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

# -- API ----------------------------------------------------------------------------------------------------

API_BODY_LIMIT = 1024 * 1024  # bytes

# -- accounts -----------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses who has failed too often
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # nobody signs up: admins make accounts
ACCOUNT_ADAPTER = "flowdesk.web.account_views.NoSignup"
ACCOUNT_RATE_LIMITS = {
    "login_failed": None
}  # axes counts failures, in the database and so over all processes
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "flowdesk.web.account_views.locked_out"
AXES_USERNAME_CALLABLE = (
    "flowdesk.web.account_views.typed_address"  # else one person locks a whole office out
)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/flow/tickets/sla"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# -- what browsers may do -----------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("FLOWDESK_PUBLIC_URL", "").startswith("https:")

# -- mail ---------------------------------------------------------------------------------------------------

PUBLIC_URL = os.environ.get("FLOWDESK_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
MAIL_DOMAIN = os.environ.get("FLOWDESK_MAIL_DOMAIN", "flowdesk.invalid")
MAIL_OUTBOX = DATA_DIR / "outbox"  # a file for each mail while there is no FLOWDESK_SMTP_URL
globals().update(mail_settings(os.environ.get("FLOWDESK_SMTP_URL", "")))

# -- the automation's door ----------------------------------------------------------------------------------

AUTOMATION_CRON_SECRET = os.environ.get("FLOW_TICKET_AUTOMATION_CRON_SECRET", "")
