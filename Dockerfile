FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1
WORKDIR /app

# What only some servers need, such as `-r requirements-storage.txt`.
ARG EXTRA=""
# Else exactly what the release was tested with: `make lock`.
COPY requirements.lock requirements-storage.txt requirements-traces.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
    && if [ -n "$EXTRA" ]; then pip install --no-cache-dir $EXTRA; fi

COPY . .
# Nothing has to be configured for this.
RUN python manage.py collectstatic --noinput

# By number, so that a platform can see that it is not root. The files stay root's.
USER 10001:10001

EXPOSE 8080
HEALTHCHECK --start-period=30s --timeout=5s CMD ["python", "-c", \
    "import os, urllib.request as http; \
    http.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT') or 8080}/healthz\", timeout=4)"]

CMD ["python", "-m", "config.server"]
