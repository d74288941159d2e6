"""Django settings. Every value that an operator may choose is read here, from the environment."""

import warnings
from pathlib import Path

from config import database, environment
from web.version import VERSION

BASE_DIR = Path(__file__).resolve().parent.parent
environment.load_dotenv(BASE_DIR / ".env")

# What ops/checks.py refuses to start without is allowed to be missing here, so that
# `collectstatic` and the like run while an image is being built.
SECRET_KEY = environment.text("SECRET_KEY")
# Old ones, which are good for what was made with them.
SECRET_KEY_FALLBACKS = environment.old_keys("SECRET_KEY_FALLBACKS")
DEBUG = environment.flag("DEBUG")
ALLOWED_HOSTS = environment.allowed_hosts("ALLOWED_HOSTS", "*")

ON_HEROKU = environment.on_heroku()

# The door to OpenTok (video/).
OPENTOK = {
    "TOKBOX_API_KEY": environment.secret("TOKBOX_API_KEY"),
    "TOKBOX_SECRET": environment.secret("TOKBOX_SECRET"),
    "TOKBOX_SECRET_OLD": environment.secret("TOKBOX_SECRET_OLD"),
    "VONAGE_APPLICATION_ID": environment.secret("VONAGE_APPLICATION_ID"),
    "VONAGE_PRIVATE_KEY": environment.text("VONAGE_PRIVATE_KEY", has_lines=True),
    "OPENTOK_API_URL": environment.secret("OPENTOK_API_URL"),
}
# Seconds that one call may take in all. Clients give up at ten, so ours has to end before.
OPENTOK_TIMEOUT = environment.seconds("OPENTOK_TIMEOUT", 7, at_least=0.1, at_most=15)
# Calls that may fail in a row before OpenTok is left alone for a few seconds.
OPENTOK_FAILURES = environment.integer("OPENTOK_FAILURES", 10, at_least=1, at_most=1_000_000)

# What OpenTok signs its callbacks with, which takes up to fifty characters.
CALLBACK_SECRET = environment.token("CALLBACK_SECRET", at_most=50)
CALLBACK_SECRET_OLD = environment.token("CALLBACK_SECRET_OLD", at_most=50)

# Phones (live/): the number that callers dial, and where SIP calls go with which user.
CONFERENCE_NUMBER = environment.phone_number("CONFERENCE_NUMBER")
SIP_URI = environment.sip_uri("SIP_URI")
SIP_USERNAME = environment.secret("SIP_USERNAME")
SIP_PASSWORD = environment.secret("SIP_PASSWORD")
# What Vonage's Voice API signs its webhooks with.
VOICE_SIGNATURE_SECRET = environment.token("VOICE_SIGNATURE_SECRET")

# The credentials handed out (rooms/).
TOKEN_ROLE = environment.one_of(
    "TOKEN_ROLE", "publisher", choices=["subscriber", "publisher", "publisheronly", "moderator"]
)
TOKEN_TTL = environment.integer("TOKEN_TTL", 86_400, at_least=60, at_most=30 * 86_400)

# What clients may do without an API key (access/): the rest takes a key that has it.
ANONYMOUS_ACCESS = environment.some_of(
    "ANONYMOUS_ACCESS",
    "join,record,view",
    choices=["join", "record", "view", "list", "broadcast", "caption", "call", "moderate"],
)

# Whether an unknown name makes a room for all clients that may join, or only for keys that may.
ROOM_CREATION = environment.one_of("ROOM_CREATION", "open", choices=["open", "keys"])

# Whether rooms/quick.py answers what it can, ahead of Django.
QUICK_ROOMS = environment.flag("QUICK_ROOMS", default=True)

# The server's address and processes (config/server.py).
LISTEN = environment.text("LISTEN", "0.0.0.0")  # noqa: S104  a PaaS routes to any address
PORT = environment.integer("PORT", 8080, at_least=0, at_most=65_535)
WEB_CONCURRENCY = environment.integer("WEB_CONCURRENCY", 2, at_least=1, at_most=64)

# Opens /metrics (ops/metrics.py) to requests that send it.
METRICS_TOKEN = environment.token("METRICS_TOKEN")

# Where traces go (telemetry/tracing.py); nowhere without it.
OTEL_EXPORTER_OTLP_ENDPOINT = environment.web_address("OTEL_EXPORTER_OTLP_ENDPOINT")

# The edge: who may call from a browser, and how large a request may be.
CORS_ALLOWED_ORIGINS = environment.origins("CORS_ALLOWED_ORIGINS", "*")
MAX_BODY_BYTES = 100 * 1024
MAX_HEADER_BYTES = 32 * 1024
# How many proxies in front of this server write X-Forwarded-For. What others wrote is not believed.
TRUSTED_PROXIES = environment.integer("TRUSTED_PROXIES", int(ON_HEROKU), at_least=0, at_most=10)

# How often one address or key may do what; see access/limits.py and docs/access.md. A class or an
# office shares an address, and comes all at once.
DEFAULT_RATE_LIMITS = {
    "join": "600/minute",
    "create": "60/minute",
    "record": "60/minute",
    "archive": "600/minute",
    "moderate": "600/minute",
    "code": "10/minute",
    "code_room": "60/minute",
    "login": "5/minute",
    "login_name": "60/minute",
    "second_factor": "10/hour",
    "wrong": "100/day",
    "typos": "2/day",
    "slow": "1/minute",
    "refused": "60/minute",
    "other": "600/minute",
}
RATE_LIMITS = environment.rate_limits("RATE_LIMITS", DEFAULT_RATE_LIMITS)
REDIS_URL = environment.redis("REDIS_URL")

# The join page (live/join.py): where its browser SDK comes from, through which proxy that one asks
# OpenTok, if through any, and the origins whose pages may show it in an iframe.
OPENTOK_JS_URL = environment.web_address(
    "OPENTOK_JS_URL", "https://static.opentok.com/v2/js/opentok.min.js"
)
REQUESTS_CA_BUNDLE = environment.certificates("REQUESTS_CA_BUNDLE")
OPENTOK_PROXY_URL = environment.web_address("OPENTOK_PROXY_URL", "")
EMBED_ORIGINS = environment.origins("EMBED_ORIGINS", "")

# Whether each process of the server does what is done beside requests: ops/worker.py.
WORKER = environment.flag("WORKER", default=True)
# Whether events may go to addresses inside the network, and without TLS; and for how many days
# it is known what became of them.
WEBHOOK_ALLOW_PRIVATE = environment.flag("WEBHOOK_ALLOW_PRIVATE")
WEBHOOK_DAYS = environment.integer("WEBHOOK_DAYS", 30, at_least=2, at_most=3650)
# Days after which the file of a recording is deleted, unless its room says otherwise; 0 is never.
ARCHIVE_DAYS = environment.integer("ARCHIVE_DAYS", 0, at_least=0, at_most=36_500)
# How long it is known what meetings, recordings and so on there were; 0 is for ever.
HISTORY_DAYS = environment.integer("HISTORY_DAYS", 1095, at_least=0, at_most=36_500)
# Whether the log names the addresses of those who are refused.
LOG_ADDRESSES = environment.flag("LOG_ADDRESSES")
# How long it is known who was in a meeting.
ATTENDANCE_DAYS = environment.integer("ATTENDANCE_DAYS", 30, at_least=1, at_most=3650)
# How long it is known who did what; 0 is for ever.
AUDIT_DAYS = environment.integer("AUDIT_DAYS", 365, at_least=0, at_most=36_500)
# Seconds after which a broadcast, captions, a page, a call or a bot is ended.
LIVE_MAX_DURATION = environment.integer("LIVE_MAX_DURATION", 14_400, at_least=60, at_most=36_000)
# Of rooms that record every meeting: the minutes after which one recording ends and the next one
# starts. OpenTok ends each after four hours.
MAX_RECORDING_MINUTES = environment.integer("MAX_RECORDING_MINUTES", 240, at_least=1, at_most=240)

# The project's own storage, in which recordings last (archives/storage/).
ARCHIVE_STORAGE = environment.storage("ARCHIVE_STORAGE_URL")
AZURE_STORAGE_KEY = environment.secret("AZURE_STORAGE_KEY")
ARCHIVE_STORAGE_DELETE = environment.flag("ARCHIVE_STORAGE_DELETE")

ADMIN_URL = environment.path_prefix("ADMIN_URL", "admin/")
# Where who has logged in goes without a `next` of this host.
LOGIN_REDIRECT_URL = "admin:index"
LOGIN_URL = "admin:login"

# Mail to staff who have forgotten their password (access/password_reset.py).
_mail = environment.mail_server("EMAIL_URL")
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.is_tls, _mail.starts_tls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.mail_sender("DEFAULT_FROM_EMAIL")

# Single sign-on of staff (access/single_sign_on.py).
OIDC_SERVER_URL = environment.secure_address("OIDC_SERVER_URL")
OIDC_CLIENT_ID = environment.secret("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = environment.secret("OIDC_CLIENT_SECRET")
OIDC_NAME = environment.text("OIDC_NAME", "single sign-on")
OIDC_DOMAINS = environment.domains("OIDC_DOMAINS")
SINGLE_SIGN_ON = bool(OIDC_SERVER_URL and OIDC_CLIENT_ID and OIDC_CLIENT_SECRET)

# A code after the password of staff (access/second_factor.py).
SECOND_FACTOR = environment.one_of(
    "SECOND_FACTOR", "optional", choices=["optional", "required", "off"]
)

INSTALLED_APPS = [
    "ops.apps.DashboardConfig",  # Django's admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_tasks",
    "ops.apps.JobsConfig",
    "ops.apps.OpsConfig",
    "audit.apps.AuditConfig",
    "staff",
    "access",
    "webhooks",
    "meetings",
    "rooms",
    "archives.apps.ArchivesConfig",
    "live",
    "api",
]

MIDDLEWARE = [
    # Those who ask come by another host name and without TLS, and are in no log.
    "ops.health.HealthMiddleware",
    "web.layer.Layer",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "staff.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "staff.middleware.AuthenticationMiddleware",
    "staff.middleware.MessageMiddleware",
    "staff.middleware.TimeZoneMiddleware",
    "access.actors.ActorMiddleware",
    "access.refusals.ProblemMiddleware",
]

if SECOND_FACTOR != "off":
    known = MIDDLEWARE.index("staff.middleware.AuthenticationMiddleware")
    MIDDLEWARE.insert(known + 1, "access.second_factor.SecondFactorMiddleware")

if SINGLE_SIGN_ON:
    # First, so that access/admin.py finds the pages that it takes away.
    INSTALLED_APPS[:0] = [
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.openid_connect",
    ]
    MIDDLEWARE.append("allauth.account.middleware.AccountMiddleware")
    SOCIALACCOUNT_ADAPTER = "access.single_sign_on.Adapter"
    ACCOUNT_EMAIL_VERIFICATION = "none"
    # A form that leads to another origin is against our Content-Security-Policy.
    SOCIALACCOUNT_LOGIN_ON_GET = True

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# A slash at the end is accepted by the routes themselves: a redirect would lose a POST.
APPEND_SLASH = False
# What web/layer.py calls for a request that it refuses.
REFUSAL_VIEW = "access.refusals.refuse"
CSRF_FAILURE_VIEW = "access.refusals.csrf_failure"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["access.authentication.BearerAuthentication"],
    "DEFAULT_THROTTLE_CLASSES": ["access.limits.Throttle"],
    "DEFAULT_PERMISSION_CLASSES": ["access.permissions.HasCapability"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["web.parsers.JSONParser", "rest_framework.parsers.FormParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "web.parsers.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "api.openapi.schema.AutoSchema",
    "EXCEPTION_HANDLER": "access.refusals.exception_handler",
    "UNAUTHENTICATED_USER": None,
}

# What /api/schema/ says and /api/docs/ shows (api/openapi/).
SPECTACULAR_SETTINGS = {
    "TITLE": "OpenTok Rooms",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "PREPROCESSING_HOOKS": ["api.openapi.schema.described"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.openapi.schema.with_codes",
    ],
    "ENUM_NAME_OVERRIDES": {"Role": "rooms.models.Role"},
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # What is sent may not be blank; what comes back may.
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    # Those are for who reads the code.
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,
    # Once is enough: `make check` runs `spectacular --validate`.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

DATABASES = {"default": database.read("DATABASE_URL", "sqlite:///db.sqlite3", base=BASE_DIR)}
# To PostgreSQL, of each process: the smallest that one can rent has twenty.
DATABASE_CONNECTIONS = 8
# Jobs are kept in the database, and run by the worker: ops/jobs.py.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name}
    for name in ("django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
                 "access.login.MinimumLengthValidator",
                 "django.contrib.auth.password_validation.CommonPasswordValidator",
                 "django.contrib.auth.password_validation.NumericPasswordValidator")
]  # fmt: skip

LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = "UTC"  # of the API and the log
# Of the admin, unless people choose their own, and of what visitors are told about opening times.
LOCAL_TIME_ZONE = environment.time_zone("TIME_ZONE", "UTC")
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {"staticfiles": {"BACKEND": "web.static.ForgivingManifestStorage"}}
# Without a collectstatic the files are served from where they lie.
WHITENOISE_USE_FINDERS = DEBUG or not (STATIC_ROOT / "staticfiles.json").exists()
if WHITENOISE_USE_FINDERS:
    warnings.filterwarnings("ignore", "No directory at", UserWarning)

# One switch for a server behind a proxy that ends TLS, which is when its header can be believed.
# Heroku's router is one, and the only way in.
SECURE_SSL_REDIRECT = environment.flag("SECURE_SSL_REDIRECT", default=ON_HEROKU)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_SSL_REDIRECT else None
SECURE_HSTS_SECONDS = 30 * 86_400 if SECURE_SSL_REDIRECT else 0
# Subdomains and preload lists are for the owner of the domain to decide on, not for this server.
# And web/layer.py does what Django's middleware for security and frames would do.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W005", "security.W021"]
# Nothing to other sites. Not "no-referrer": with that, browsers send forms with `Origin: null`,
# and no log-in to the admin succeeds.
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "telemetry.logs.formatter"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "line",
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Each request has a line already (telemetry/request_log.py), without its path and query.
        "django.request": {"level": "ERROR"},
        "django.server": {"handlers": [], "level": "CRITICAL"},
        "django.security.csrf": {"level": "ERROR"},
        # Else any client could write tracebacks into the log, by a foreign Host or by more than a
        # thousand fields.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.security.TooManyFieldsSent": {"level": "CRITICAL"},
        # Two lines each time that nothing is due.
        "django_tasks_db": {"level": "WARNING"},
        # Its warnings quote headers of OpenTok that it cannot read, and URLs with session ids.
        "urllib3": {"level": "ERROR"},
        # It tells in each process where its credentials are from.
        "botocore": {"level": "WARNING"},
        # And each request, with a link.
        "azure": {"level": "WARNING"},
    },
}

# Sentences; the variables that are read are known by now.
MISSPELT_VARIABLES = list(environment.misspelt())
