# ruff: noqa: F401
"""Imports what the server imports of others, for tests/forked.py. Nothing of it reads a setting.

Django would raise ImproperlyConfigured, and the processes would not start.
"""

import os

os.environ.pop("DJANGO_SETTINGS_MODULE", None)

import django.contrib.admin.sites
import django.contrib.auth.apps
import django.contrib.postgres.fields
import django.core.handlers.asgi
import django.core.management.commands.check
import django.db.backends.postgresql.base
import django.db.backends.sqlite3.base
import django.test
import django_tasks_db
import drf_spectacular.utils
import granian.server.mp
import limits.storage
import markdown_it
import opentok
import segno
import whitenoise.middleware
