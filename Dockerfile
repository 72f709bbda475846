# One image for every role: `python manage.py role web|worker|poller|beat|prepare`.
FROM python:3.12-slim AS build
WORKDIR /srv/vitals
COPY requirements.lock ./
RUN python -m venv /srv/venv \
    && /srv/venv/bin/pip install --no-cache-dir --quiet --require-hashes -r requirements.lock

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data vitals
COPY --from=build /srv/venv /srv/venv
WORKDIR /srv/vitals
COPY . .
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    VITALS_DATA=/data STATIC_ROOT=/srv/static
# The settings ask for secrets; collecting files needs none, so these two live for this one line only.
RUN mkdir -p /srv/static && VITALS_SECRET_KEY=none VITALS_FERNET_KEYS=none python manage.py collectstatic --no-input -v 0 \
    && chmod -R a+rX /srv/static
USER vitals
VOLUME /data
EXPOSE 8000
CMD ["python", "manage.py", "role", "web", "--host", "0.0.0.0"]
