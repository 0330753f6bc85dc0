"""Django's settings: everything that differs between machines comes from the environment.

`flowdesk run` sets the FLOWDESK_* variables for its children; a single command gets them from
`flowdesk.core.supervisor.connection`, tests from `tests.database`.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from flowdesk.config.cookies import cookie_settings
from flowdesk.config.logs import log_settings
from flowdesk.config.mail import mail_settings
from flowdesk.core.addresses import trusted_networks
from flowdesk.core.limits import limits_in
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
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "flowdesk.web",  # before allauth: our login page stands in for its own
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "template_partials",
    "flowdesk.core",
    "procrastinate.contrib.django",
    "flowdesk.accounts",
    "flowdesk.policies",
    "flowdesk.people",
    "flowdesk.tickets",
    "flowdesk.triage",
    "flowdesk.intake",
    "flowdesk.sla",
    "flowdesk.escalation",
    "flowdesk.notifications",
    "flowdesk.routing",
    "flowdesk.automations",
    "flowdesk.hubs",
    "flowdesk.api",
]

AUTH_USER_MODEL = "accounts.User"

MIDDLEWARE = [
    "flowdesk.config.requests.RequestLines",  # outermost: every answer has an id, a line in the log and a time
    "flowdesk.api.errors.Problems",  # below /api/ every failure is a problem document
    "flowdesk.api.limits.RequestLimits",  # a request too many costs nothing but its count
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pads pages at random, so that their length tells no secret
    "flowdesk.web.headers.BrowserHeaders",
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

# When a line is dead, seen from here; the URL may say otherwise. Without these Linux waits a quarter of an hour.
LINE_LIMITS: dict[str, Any] = {
    "connect_timeout": 5,  # seconds, for each host of the address
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}
# And seen from there: a client that vanished must not go on holding locks.
SERVER_LIMITS = "-c client_connection_check_interval=5s"
NOT_IDLE = "-c idle_in_transaction_session_timeout=60s"


def answer_within() -> float | None:
    """Seconds for one statement; None, for ever, where the environment says 0."""
    return float(os.environ.get("FLOWDESK_DATABASE_TIMEOUT") or 30) or None


def database(variable: str, *, is_patient: bool = False) -> dict[str, Any]:
    """One connection, from the libpq connection string in the environment variable; it may name several hosts.

    A patient one's statements, and the pauses between them in a transaction, may take their time.
    """
    dsn = conninfo_to_dict(os.environ.get(variable, "dbname=flowdesk"))
    if not BEHIND_TRANSACTION_POOLER:  # poolers refuse what they would have to tell apart
        limits = SERVER_LIMITS if is_patient else f"{SERVER_LIMITS} {NOT_IDLE}"
        dsn["options"] = f"{limits} {dsn.get('options', '')}".strip()
    return {
        "ENGINE": "flowdesk.core.postgres",
        "NAME": dsn.pop("dbname", "flowdesk"),
        "USER": dsn.pop("user", ""),
        "PASSWORD": dsn.pop("password", ""),
        "HOST": dsn.pop("host", ""),
        "PORT": dsn.pop("port", ""),
        "OPTIONS": {**CONNECTION_OPTIONS, **LINE_LIMITS, **dsn},
        "ANSWER_WITHIN": None if is_patient else answer_within(),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": BEHIND_TRANSACTION_POOLER,
    }


DATABASES = {
    "default": database("FLOWDESK_APP_DSN"),  # serves people, one tenant at a time
    # Migrates, and may take its time; web and worker are not given its password.
    "owner": database("FLOWDESK_OWNER_DSN", is_patient=True),
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
IMPORT_LIMIT = (
    int(os.environ.get("FLOWDESK_IMPORT_MIB", "256")) * 1024 * 1024
)  # of a file sent to be imported
REQUEST_LIMITS = limits_in(os.environ)

# -- accounts -----------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # nobody signs up: admins make accounts
ACCOUNT_ADAPTER = "flowdesk.web.account.doors.NoSignup"
ACCOUNT_RATE_LIMITS = False  # they count in each process alone; accounts.throttle counts in the database
# As NIST SP 800-63B has it: long and not known, and no rules about kinds of characters.
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "flowdesk.accounts.sessions"
SESSION_COOKIE_AGE = (
    int(os.environ.get("FLOWDESK_SESSION_IDLE_HOURS", "12")) * 3600
)  # seconds without a request
SESSION_LIMIT = timedelta(days=int(os.environ.get("FLOWDESK_SESSION_DAYS", "14")))  # however busy it is
TRUSTED_PROXIES = trusted_networks(os.environ.get("FLOWDESK_TRUSTED_PROXIES", ""))
CSRF_FAILURE_VIEW = "flowdesk.web.fault_pages.stale_form"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/flow/tickets/sla"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# -- what browsers may do -----------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
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
globals().update(cookie_settings(os.environ.get("FLOWDESK_PUBLIC_URL", "")))

# -- mail ---------------------------------------------------------------------------------------------------

PUBLIC_URL = os.environ.get("FLOWDESK_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
MAIL_DOMAIN = os.environ.get("FLOWDESK_MAIL_DOMAIN", "flowdesk.invalid")
MAIL_OUTBOX = DATA_DIR / "outbox"  # a file for each mail while there is no FLOWDESK_SMTP_URL
globals().update(mail_settings(os.environ.get("FLOWDESK_SMTP_URL", "")))

# -- the automation's door ----------------------------------------------------------------------------------

AUTOMATION_CRON_SECRET = os.environ.get("FLOW_TICKET_AUTOMATION_CRON_SECRET", "")

# -- logs and metrics ---------------------------------------------------------------------------------------

# At a terminal text for people; into a file or a pipe, where programs read, JSON.
LOGGING = log_settings(
    os.environ.get("FLOWDESK_LOG") or ("text" if sys.stderr.isatty() else "json"),
    level=os.environ.get("FLOWDESK_LOG_LEVEL", "INFO").upper(),
)
METRICS_TOKEN = os.environ.get(
    "FLOWDESK_METRICS_TOKEN", ""
)  # without one, /metrics answers this machine alone
