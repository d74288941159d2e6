"""The real settings, with an environment of their own: no `.env` of the developer's gets in."""

import os
import tempfile

os.environ |= {
    "SECRET_KEY": "tests-only-and-long-enough-for-the-checks-of-a-deployment",
    "DEBUG": "off",
    "ALLOWED_HOSTS": "*",
    "TOKBOX_API_KEY": "45999999",
    "TOKBOX_SECRET": "5ca1ab1e0ddba11f00dfacade0ff1ce0c0ffee00",
    # A space counts as not set, and keeps what `.env` has to say out.
    "VONAGE_APPLICATION_ID": " ",
    "VONAGE_PRIVATE_KEY": " ",
    # Nothing listens there: a test that needs an OpenTok asks for the fixture.
    "OPENTOK_API_URL": "http://127.0.0.1:9",
    "OPENTOK_TIMEOUT": "7",
    # Tests share a server: what one of them does to OpenTok must not count against the next.
    "OPENTOK_FAILURES": "1000000",
    "CALLBACK_SECRET": "tests-only-callback-secret-of-40-letters",
    "CONFERENCE_NUMBER": "14155550100",
    "SIP_URI": " ",
    "SIP_USERNAME": "a1b2c3d4",
    "SIP_PASSWORD": "hunter2-sip",
    "VOICE_SIGNATURE_SECRET": " ",
    "TOKEN_ROLE": "publisher",
    "TOKEN_TTL": "86400",
    # Everything that the sample server lets everybody do.
    "ANONYMOUS_ACCESS": "join,record,view,list",
    "ROOM_CREATION": "open",
    "CORS_ALLOWED_ORIGINS": "*",
    "METRICS_TOKEN": "tests-only-metrics-token",
    "SECURE_SSL_REDIRECT": "off",
    "TRUSTED_PROXIES": "0",
    # Counted, but out of reach: all tests come from one address.
    "RATE_LIMITS": "join=9999999/minute,create=9999999/minute,record=9999999/minute,"
    "archive=9999999/minute,code=9999999/minute,login=9999999/minute,login_name=9999999/minute,"
    "second_factor=9999999/minute,"
    "wrong=9999999/day,refused=9999999/minute,other=9999999/minute",
    "REDIS_URL": " ",
    "OIDC_SERVER_URL": " ",
    "OIDC_CLIENT_ID": " ",
    "OIDC_CLIENT_SECRET": " ",
    "OIDC_NAME": " ",
    "OIDC_DOMAINS": " ",
    "ARCHIVE_STORAGE_URL": " ",
    "ARCHIVE_STORAGE_DELETE": " ",
    "AZURE_STORAGE_KEY": " ",
    "ADMIN_URL": "admin/",
    "TIME_ZONE": "UTC",
    "EMAIL_URL": " ",
    "DEFAULT_FROM_EMAIL": " ",
}
os.environ.setdefault("DATABASE_URL", f"sqlite:///{tempfile.mkdtemp()}/db.sqlite3")

from config.settings import *  # noqa: F403
from config.settings import DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick log-ins

if "postgresql" in DATABASES["default"]["ENGINE"]:
    # The tests' own process drops its database at the end, which idle connections would prevent.
    DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"

if "sqlite" in DATABASES["default"]["ENGINE"]:
    # In a file, so that the server's processes see it as well.
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"] + ".test"}
