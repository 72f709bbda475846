"""Settings for every environment, in sections. Each variable is read once, here, by a reader of `config.env`.

Without `DATABASE_URL` or `REDIS_URL` the embedded servers of `config.embedded` are used. Nothing is imported from
this module by `*`; read it as `django.conf.settings`.
"""

from __future__ import annotations

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import addresses, env, secrets, sign_on
from config.embedded import DataFolder, default_data_folder

# Lets classes of Django that are generic for the type checker (ModelAdmin, ModelForm …) be written so.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules

# --- Where things lie -------------------------------------------------------------------------------------------

DATA_DIR = env.path(
    "VITALS_DATA",
    default_data_folder(),
    shown="/var/lib/vitals as root, else ~/.local/share/vitals",
    help="Data folder: the embedded servers' data, files, logs and generated keys.",
)
DATA = DataFolder(DATA_DIR)

# --- The two halves ---------------------------------------------------------------------------------------------

SERVICE_ENABLED = env.flag("SERVICE_ENABLED", True, help="Serve the Deployments API and its workers' tasks.")
DASHBOARD_ENABLED = env.flag("DASHBOARD_ENABLED", True, help="Run the watcher, the pages and the alert mails.")

# --- Stores -----------------------------------------------------------------------------------------------------

DATABASE_URL = env.url(
    "DATABASE_URL",
    "",
    addresses.DATABASE_SCHEMES,
    help="PostgreSQL 16 or newer, postgresql://user:password@host:5432/name; empty: the embedded server.",
)
EMBEDDED_DATABASE = not DATABASE_URL
DATABASE_POOL = env.number(
    "DATABASE_POOL", 0, maximum=1000, help="Most open connections a process; 0: one kept a thread, no pool."
)
DATABASE_MAX_AGE = env.number("DATABASE_MAX_AGE", 600, help="Seconds an unpooled connection is kept open.")
DATABASES = {
    "default": addresses.database(
        DATABASE_URL or DATA.database_url, pool=DATABASE_POOL, max_age=0 if TESTING else DATABASE_MAX_AGE
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.url(
    "REDIS_URL",
    "",
    addresses.REDIS_SCHEMES,
    help="Redis 6.2 or Valkey, redis://:password@host:6379/0; empty: the embedded server.",
)
EMBEDDED_REDIS = not REDIS_URL
REDIS_URL = REDIS_URL or DATA.redis_url
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "vitals",
    }
}

# --- Secrets ----------------------------------------------------------------------------------------------------

_generate = EMBEDDED_DATABASE or TESTING
SECRET_KEY = env.secret(
    "VITALS_SECRET_KEY",
    (lambda: secrets.generated(DATA.keys, secrets.DJANGO)) if _generate else None,
    help="Signs sessions and links; made in the data folder when the embedded database is used.",
)
SECRET_KEY_FALLBACKS = env.words(
    "VITALS_SECRET_KEY_FALLBACKS", help="Former VITALS_SECRET_KEYs that still open sessions and links."
)
FERNET_KEYS = env.fernet_keys(
    "VITALS_FERNET_KEYS",
    (lambda: secrets.generated(DATA.keys, secrets.FERNET)) if _generate else None,
    help="Keys that encrypt the tokens of sources, by commas, newest first; made like VITALS_SECRET_KEY.",
)

# --- Addresses and who may ask ----------------------------------------------------------------------------------

PUBLIC_URL = env.url(
    "PUBLIC_URL",
    "http://127.0.0.1:8000",
    ("http", "https"),
    help="The address that people and mails use, without a slash at the end.",
).rstrip("/")
_public = urlsplit(PUBLIC_URL)
SERVICE_URL = (
    env.url(
        "SERVICE_URL",
        "",
        ("http", "https"),
        help="Where the watcher reaches this installation's own API, without /api/v2; empty: where `up` listens, "
        "else PUBLIC_URL.",
    ).rstrip("/")
    or PUBLIC_URL
)
_hosts = (_public.hostname, urlsplit(SERVICE_URL).hostname, "127.0.0.1", "localhost", "[::1]")
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS",
    list(dict.fromkeys(host for host in _hosts if host)),
    help="Host names that requests may ask for; by default PUBLIC_URL's, SERVICE_URL's and this machine's own.",
)
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
HTTPS = _public.scheme == "https"
BEHIND_PROXY = env.flag(
    "BEHIND_PROXY", False, help="Trust X-Forwarded-Proto, -Host and -For of one proxy before the web process."
)
DEBUG = env.flag("DEBUG", False, help="Django's debug pages; never on a machine that others can reach.")
ALLOW_PRIVATE_ADDRESSES = env.flag(
    "ALLOW_PRIVATE_ADDRESSES",
    False,
    help="Let sources, webhooks and scoring addresses lie in private networks (never link-local or metadata ones).",
)
TRUSTED_HOSTS = env.words(
    "TRUSTED_HOSTS", help="Single private hosts (name or name:port) that sources and webhooks may name all the same."
)

# --- Apps -------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "django_htmx",
    "config.apps.ConfigConfig",
    *(["rest_framework", "drf_spectacular", "deployments"] if SERVICE_ENABLED else []),
    *(["monitoring", "dashboard"] if DASHBOARD_ENABLED else []),
    *(
        [
            "allauth",
            "allauth.account",
            "allauth.mfa",
            "allauth.usersessions",
            "allauth.socialaccount",
            "allauth.socialaccount.providers.openid_connect",
        ]
        if DASHBOARD_ENABLED
        else []
    ),
    *(["demo"] if SERVICE_ENABLED and DASHBOARD_ENABLED and importlib.util.find_spec("demo") else []),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.HealthMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    *(
        ["dashboard.sign_on.header.TrustedHeaderMiddleware", "allauth.account.middleware.AccountMiddleware"]
        if DASHBOARD_ENABLED
        else []
    ),
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                *(["dashboard.sign_on.context.account"] if DASHBOARD_ENABLED else []),
            ],
        },
    }
]

# --- Time and language ------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# --- People -----------------------------------------------------------------------------------------------------

LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
if TESTING:
    # Hashing is slow on purpose; tests log in often and keep no password.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = env.number("SESSION_DAYS", 14, minimum=1, maximum=3650, help="Days a log-in lasts.") * 86_400
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# --- Single sign-on and second factors --------------------------------------------------------------------------

OIDC_APPS = sign_on.providers(
    {
        "issuer": env.text("OIDC_ISSUER", help="Address of an OpenID Connect provider; empty: none."),
        "client_id": env.text("OIDC_CLIENT_ID", help="The id under which that provider knows this installation."),
        "client_secret": env.secret("OIDC_CLIENT_SECRET", lambda: "", help="The secret of OIDC_CLIENT_ID."),
        "name": env.text("OIDC_NAME", help="What its button says; empty: its host name."),
    },
    env.secret(
        "OIDC_PROVIDERS",
        lambda: "",
        help='Further providers: a JSON list of {"id", "name", "issuer", "client_id", "client_secret"}.',
    ),
)
TRUSTED_HEADER = env.text(
    "TRUSTED_HEADER",
    help="Header in which a log-in proxy names the user (X-Forwarded-User); empty: none is believed. The proxy must "
    "drop what it is sent of it, also spelt with underscores (X_Forwarded_User).",
)
TRUSTED_HEADER_EMAIL = env.text("TRUSTED_HEADER_EMAIL", help="Header in which that proxy sends the user's e-mail.")
TRUSTED_HEADER_PROXIES = sign_on.networks(
    TRUSTED_HEADER,
    env.networks(
        "TRUSTED_HEADER_PROXIES", help="Addresses or networks of that proxy; the header from elsewhere is refused."
    ),
)
SSO_JOIN = sign_on.join_rules(
    env.text(
        "SSO_JOIN",
        help='Who joins a team by signing on: a JSON list of {"team", "role"} with "domain" (of the verified e-mail) '
        'or "claim" and "value"; empty: nobody.',
    )
)
LOCAL_LOGIN = sign_on.local_login(
    env.flag("LOCAL_LOGIN", True, help="Take passwords; false only where single sign-on is set up."),
    sso=bool(OIDC_APPS or TRUSTED_HEADER),
)
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
ACCOUNT_ADAPTER = "dashboard.sign_on.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/login/"
SOCIALACCOUNT_ADAPTER = "dashboard.sign_on.adapters.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": OIDC_APPS}}
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
# A link, not a form: browsers hold redirects after a form to `form-action`, and a provider may send on elsewhere.
SOCIALACCOUNT_LOGIN_ON_GET = True
MFA_ADAPTER = "dashboard.sign_on.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# Browsers offer keys on https and on this very machine only; where there is no https, it is the latter.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = f"Vitals {_public.hostname}"
if DASHBOARD_ENABLED:
    CSRF_FAILURE_VIEW = "dashboard.views.errors.csrf_failure"

# --- Browser rules ----------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
USE_X_FORWARDED_HOST = BEHIND_PROXY
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        # Two doors, because they carry different risks. A <style> element or file can restyle the whole page, so it
        # must be ours (self or nonce). A style attribute reaches one element only, and Plotly sets hundreds.
        "style-src": [SELF, NONCE],
        "style-src-elem": [SELF, NONCE],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # a mail is shown in a frame of its own, in which nothing runs
        "frame-src": [SELF],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}

# --- Static files: ours from static/, others' straight from their installed packages ----------------------------

STATIC_URL = "/static/"
STATIC_ROOT = env.path(
    "STATIC_ROOT", DATA_DIR / "static", shown="static/ in VITALS_DATA", help="Where static files are collected."
)
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.static.PackageFilesFinder",
]
# In development and tests files are served from where they lie; otherwise from STATIC_ROOT with hashed names.
WHITENOISE_USE_FINDERS = TESTING or DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

# --- Files ------------------------------------------------------------------------------------------------------

S3_BUCKET = env.text("S3_BUCKET", help="Bucket for datasets, artifacts and exports; empty: a folder in VITALS_DATA.")
S3_ENDPOINT = env.url("S3_ENDPOINT", "", ("http", "https"), help="Address of an S3-compatible store; empty: AWS.")
S3_REGION = env.text("S3_REGION", help="Region of the bucket.")
S3_PREFIX = env.text("S3_PREFIX", help="Prefix of all keys in the bucket.")
S3_ACCESS_KEY = env.text("S3_ACCESS_KEY", help="Access key; empty: the machine's own role.")
S3_SECRET_KEY = env.secret("S3_SECRET_KEY", lambda: "", help="Secret key that belongs to S3_ACCESS_KEY.")
if S3_BUCKET and importlib.util.find_spec("storages") is None:
    raise ImproperlyConfigured(
        "The environment variable S3_BUCKET needs a package that is not installed: "
        ".venv/bin/python -m pip install 'django-storages[s3]'."
    )
_local_files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(DATA.files)}}
_s3_files = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": S3_ENDPOINT or None,
        "region_name": S3_REGION or None,
        "location": S3_PREFIX,
        "access_key": S3_ACCESS_KEY or None,
        "secret_key": S3_SECRET_KEY or None,
        "default_acl": None,
        "file_overwrite": False,
    },
}
_hashed_names = "whitenoise.storage.CompressedManifestStaticFilesStorage"
_plain_names = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES: dict[str, Any] = {
    "default": _s3_files if S3_BUCKET else _local_files,
    "staticfiles": {"BACKEND": _plain_names if TESTING or DEBUG else _hashed_names},
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

# --- Mail -------------------------------------------------------------------------------------------------------

_mail = addresses.mail(
    env.url(
        "EMAIL_URL",
        "archive:",
        addresses.MAIL_SCHEMES,
        help="smtp://user:password@host:587, smtps://…, a provider (postmark://token@ …), console: or archive: "
        "(mail stays in Vitals' list of mail).",
    )
)
MAIL_IS_SENT = _mail.sends
EMAIL_BACKEND = _mail.backend
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.use_tls, _mail.use_ssl
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT", 20, minimum=1, help="Seconds to wait for the mail server or a channel.")
EMAIL_WEBHOOK_SECRET = env.secret(
    "EMAIL_WEBHOOK_SECRET",
    lambda: "",
    help="user:password that the mail provider's bounce webhook sends; empty: bounces are not taken.",
)
ANYMAIL = {**_mail.options, "REQUESTS_TIMEOUT": EMAIL_TIMEOUT, "WEBHOOK_SECRET": EMAIL_WEBHOOK_SECRET or None}
DEADMAN_URL = env.url(
    "DEADMAN_URL",
    "",
    ("http", "https"),
    help="Called every few minutes while polling and mail work, so that an outside watcher notices silence.",
)
METRICS_TOKEN = env.secret(
    "METRICS_TOKEN", lambda: "", help="Bearer token with which Prometheus reads /metrics; empty: no token opens it."
)
METRICS_NETWORKS = env.networks(
    "METRICS_NETWORKS",
    help="Networks from which /metrics may be read without a token, such as 10.0.0.0/8; with neither it is off.",
)
GAUGES = [
    *(["monitoring.gauges.read"] if DASHBOARD_ENABLED else []),
    *(["deployments.gauges.read"] if SERVICE_ENABLED else []),
]
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text(
    "EMAIL_FROM", f"Vitals <vitals@{_public.hostname}>", help="The sender of all mail."
)
# Drawn by the pages' own chart code; named here because the watcher may not import the pages.
MAIL_CHART = "dashboard.charts.mail.draw"
REPORT_CHARTS = "dashboard.charts.report"
# The counter at which the pages ask for tokens and for the audit of the service; they may not import it.
SERVICE_DESK = "deployments.desk" if SERVICE_ENABLED else ""

# --- Work in the background -------------------------------------------------------------------------------------

CELERY_BROKER_URL = addresses.broker(REDIS_URL)
TASK_TIME_LIMIT = env.number(
    "TASK_TIME_LIMIT", 900, minimum=30, help="Seconds after which a stuck task is killed and run again."
)
WORKER_CONCURRENCY = env.number("WORKER_CONCURRENCY", 2, minimum=1, help="Processes of one worker.")
WEB_WORKERS = env.number("WEB_WORKERS", 2, minimum=1, help="Processes of one web server.")
WEB_THREADS = env.number("WEB_THREADS", 4, minimum=1, help="Threads of each web process.")

# --- Retention (days) -------------------------------------------------------------------------------------------

RETENTION_ROWS_DAYS = env.number(
    "RETENTION_ROWS_DAYS", 90, minimum=1, help="Days prediction rows and actuals are kept; a deployment can keep fewer."
)
RETENTION_HOURS_DAYS = env.number("RETENTION_HOURS_DAYS", 400, minimum=2, help="Days hourly states are kept.")
RETENTION_DAYS_DAYS = env.number("RETENTION_DAYS_DAYS", 1826, minimum=31, help="Days daily states are kept.")
RETENTION_SNAPSHOTS_DAYS = env.number("RETENTION_SNAPSHOTS_DAYS", 730, minimum=31, help="Days snapshots are kept.")
RETENTION_MAIL_DAYS = env.number("RETENTION_MAIL_DAYS", 365, minimum=7, help="Days sent mail is kept.")
RETENTION_AUDIT_DAYS = env.number(
    "RETENTION_AUDIT_DAYS", 730, minimum=31, help="Days it is kept who did what, of both halves."
)
RETENTION_JOBS_DAYS = env.number("RETENTION_JOBS_DAYS", 30, minimum=1, help="Days finished jobs are kept.")

# --- Limits -----------------------------------------------------------------------------------------------------

_MB = 1_048_576
MAX_JSON_BYTES = env.number("MAX_JSON_MB", 64, minimum=1, help="Largest JSON body, in MiB.") * _MB
MAX_JSON_ROWS = env.number("MAX_JSON_ROWS", 10_000, minimum=1, help="Most rows in one JSON request.")
ACTUALS_PER_HOUR = env.number(
    "ACTUALS_PER_HOUR", 10_000_000, minimum=1, help="Most actuals a deployment takes in an hour, counted by class."
)
MAX_FILE_BYTES = env.number("MAX_FILE_MB", 1024, minimum=1, help="Largest uploaded file, in MiB.") * _MB
MAX_FILE_ROWS = env.number("MAX_FILE_ROWS", 10_000_000, minimum=1, help="Most rows in one uploaded file.")
MAX_COLUMNS = env.number("MAX_COLUMNS", 2000, minimum=1, help="Most columns in an uploaded file.")
MAX_FEATURES = env.number("MAX_FEATURES", 300, minimum=1, help="Most monitored features of a model.")
MAX_SEGMENT_VALUES = env.number(
    "MAX_SEGMENT_VALUES", 100, minimum=1, help="Most values a segment attribute; the rest are counted together."
)
MAX_BUCKETS = env.number("MAX_BUCKETS", 10_000, minimum=24, help="Most buckets in one answer over time.")
PAGE_SIZE = env.number("PAGE_SIZE", 100, minimum=1, help="Entries on one page of a list, unless asked otherwise.")
MAX_PAGE_SIZE = env.number("MAX_PAGE_SIZE", 1000, minimum=1, help="Most entries on one page of a list.")
SCORING_THREADS = env.number("SCORING_THREADS", 1, minimum=1, help="Threads of a process that runs an ONNX artifact.")
SCORING_MEMORY_MB = env.number(
    "SCORING_MEMORY_MB", 4096, minimum=512, help="Address space of a process that runs an ONNX artifact, in MiB."
)
SCORING_SECONDS = env.number(
    "SCORING_SECONDS", 120, minimum=1, help="Seconds for loading a model, or for scoring one piece of rows."
)
MAX_ARTIFACT_BYTES = env.number("MAX_ARTIFACT_MB", 256, minimum=1, help="Largest ONNX artifact, in MiB.") * _MB
MAX_DOWNLOAD_BYTES = (
    env.number("MAX_DOWNLOAD_MB", 2048, minimum=1, help="Largest file of a source that pages pass on, in MiB.") * _MB
)
DOWNLOAD_SECONDS = env.number(
    "DOWNLOAD_SECONDS", 1800, minimum=10, help="Seconds until a file of a source must have been passed on whole."
)
RATE_LIMIT_API = env.number("RATE_LIMIT_API", 6000, help="API requests a minute and token before 429; 0: no limit.")
RATE_LIMIT_LOGIN = env.number(
    "RATE_LIMIT_LOGIN",
    10,
    help="Failed log-ins a minute by address and by name, and mails for a new password; 0: no limit.",
)
# Of mail with a link for a new password; 5 a minute for one address. Allauth's own limits of factors and of changes of
# the password stay whatever it says.
ACCOUNT_RATE_LIMITS = {"reset_password": f"{RATE_LIMIT_LOGIN}/m/ip,5/m/key" if RATE_LIMIT_LOGIN else None}
RATE_LIMIT_INVITE = env.number(
    "RATE_LIMIT_INVITE", 20, help="Invitations and test messages a minute, by address and by person; 0: no limit."
)
RATE_LIMIT_SHARED = env.number(
    "RATE_LIMIT_SHARED", 240, help="Openings of share links and badges a minute and address before 429; 0: no limit."
)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_JSON_BYTES
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * _MB

# --- The watcher ------------------------------------------------------------------------------------------------

POLL_INTERVAL = timedelta(
    seconds=env.number("POLL_SECONDS", 60, minimum=5, help="Seconds between polls of what moved.")
)
POLL_SLOW_INTERVAL = timedelta(
    minutes=env.number("POLL_SLOW_MINUTES", 60, minimum=5, help="Minutes between polls of what the list does not show.")
)
POLL_CONCURRENCY = env.number("POLL_CONCURRENCY", 32, minimum=1, help="Requests at a time to one source.")
POLL_BATCH = env.number("POLL_BATCH", 20, minimum=1, help="Deployments polled by one task.")
POLL_TIMEOUT = env.number("POLL_TIMEOUT", 20, minimum=1, help="Seconds to wait for a source's answer.")
BACKFILL_DAYS = env.number("BACKFILL_DAYS", 30, help="Days fetched when a deployment is first seen.")

# --- The API's framework ----------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["deployments.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "deployments.api.openapi.Schema",
    "EXCEPTION_HANDLER": "deployments.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Vitals: the Deployments API",
    "VERSION": "2.0",
    "SERVE_INCLUDE_SCHEMA": False,
}

# --- Words ------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"], help="Least level that is logged.")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "filters": {"quiet": {"()": "config.quiet.Quiet"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["quiet"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        name: {"level": LOG_LEVEL, "handlers": ["console"], "propagate": TESTING}
        for name in ("config", "deployments", "monitoring", "dashboard", "demo")
    },
}
