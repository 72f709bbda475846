# One image for every role: `python manage.py role web|worker|poller|beat|prepare`.
FROM python:3.12-slim AS build
# Further packages, for instance --build-arg EXTRA="django-storages[s3]" where files go to a bucket.
ARG EXTRA=""
WORKDIR /srv/vitals
COPY requirements.lock ./
RUN python -m venv /srv/venv \
    && /srv/venv/bin/pip install --no-cache-dir --quiet --require-hashes -r requirements.lock
RUN if [ -n "$EXTRA" ]; then /srv/venv/bin/pip install --no-cache-dir --quiet $EXTRA; fi

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data vitals
COPY --from=build /srv/venv /srv/venv
WORKDIR /srv/vitals
COPY . .
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    VITALS_DATA=/data STATIC_ROOT=/srv/static
# The settings ask for secrets; collecting files needs none, so these two live for this one line only. The files stay
# root's: `role prepare` sees by their signature that they are those of this code, and leaves them alone.
RUN mkdir -p /srv/static \
    && VITALS_SECRET_KEY=none VITALS_FERNET_KEYS=bmV2ZXIgdXNlZCB0byBlbmNyeXB0IGFueXRoaW5nISE= python manage.py static_files \
    && chmod -R a+rX /srv/static
USER vitals
VOLUME /data
EXPOSE 8000
CMD ["python", "manage.py", "role", "web", "--host", "0.0.0.0"]
