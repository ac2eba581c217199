# Whatsit as an image: `docker build -t whatsit .` here, and docs/operations.md for the rest.
#
# It runs as a user without rights, on a root file system that may be read-only: what it writes is in the volumes
# /data (the store) and /cache (the models, which can be made anew), and in /tmp.

FROM docker.io/library/debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/whatsit
COPY requirements/run.txt requirements/postgres.txt /src/requirements/
# asyncpg of postgres.txt takes 9 MB, so it is always there, and PostgreSQL is a setting.
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/whatsit/bin/pip install --no-input --disable-pip-version-check --require-hashes \
    --requirement /src/requirements/run.txt --requirement /src/requirements/postgres.txt
COPY pyproject.toml README.md LICENSE NOTICE /src/
COPY bot /src/bot
COPY config /src/config
COPY inference /src/inference
RUN /opt/whatsit/bin/pip install --no-input --disable-pip-version-check --no-deps --no-build-isolation /src \
    && /opt/whatsit/bin/pip uninstall --yes --quiet pip

FROM docker.io/library/debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*
# The number is fixed, so that files outside (the token, the volumes) can be given to this user.
RUN groupadd --gid 10001 whatsit \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin whatsit \
    && install --directory --owner whatsit --group whatsit --mode 700 /data /cache
COPY --from=build /opt/whatsit /opt/whatsit
ENV PATH=/opt/whatsit/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    WHATSIT_DATA__DIR=/data \
    WHATSIT_MODEL__CACHE_DIR=/cache \
    WHATSIT_METRICS__LISTEN=127.0.0.1:9464
USER 10001:10001
VOLUME ["/data", "/cache"]
# The first start makes or downloads the model, while /healthz answers already.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/healthz', timeout=4)"]
ENTRYPOINT ["whatsit"]
CMD ["run"]
