"""One variable, taken apart for Django and Celery."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from config import addresses


def test_a_database_address_becomes_djangos_entry() -> None:
    url = "postgresql://us%40er:p%2Fw@db.example:6432/vitals?sslmode=require"
    entry = addresses.database(url, pool=0, max_age=600)
    assert entry == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "vitals",
        "USER": "us@er",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": 6432,
        "OPTIONS": {"sslmode": "require"},
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def test_a_socket_folder_is_an_option_of_the_address() -> None:
    entry = addresses.database("postgresql://vitals@/vitals?host=/data/run", pool=0, max_age=0)
    assert (entry["HOST"], entry["NAME"], entry["OPTIONS"]) == ("/data/run", "vitals", {})


def test_a_pool_replaces_kept_connections() -> None:
    entry = addresses.database("postgresql://h/n", pool=8, max_age=600)
    assert entry["OPTIONS"]["pool"]["max_size"] == 8
    assert entry["CONN_MAX_AGE"] == 0


@pytest.mark.parametrize(
    ("redis", "celery"),
    [
        ("redis://:pw@host:6379/3", "redis://:pw@host:6379/3"),
        ("unix:///data/run/redis.sock?db=2", "redis+socket:///data/run/redis.sock?virtual_host=2"),
        ("unix:///data/run/redis.sock", "redis+socket:///data/run/redis.sock?virtual_host=0"),
    ],
)
def test_celery_spells_a_redis_socket_differently(redis: str, celery: str) -> None:
    assert addresses.broker(redis) == celery


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example", 25, False, False),
        ("smtp://mail.example:587", 587, True, False),
        ("smtp://mail.example:2525?tls=1", 2525, True, False),
        ("smtp://mail.example:587?tls=0", 587, False, False),
        ("smtps://mail.example", 465, False, True),
    ],
)
def test_a_mail_server_is_used_as_its_address_says(url: str, port: int, tls: bool, ssl: bool) -> None:
    server = addresses.mail(url)
    assert (server.host, server.port, server.use_tls, server.use_ssl) == ("mail.example", port, tls, ssl)


def test_mail_is_kept_and_sent_nowhere_by_default() -> None:
    assert addresses.mail("archive:").host == ""
    assert addresses.mail("archive:").backend.endswith("dummy.EmailBackend")
    assert not addresses.mail("archive:").sends


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("postmark://to%2Fken@", {"POSTMARK_SERVER_TOKEN": "to/ken"}),
        (
            "mailgun://key@mg.example.org?api_url=https://api.eu.mailgun.net/v3",
            {
                "MAILGUN_API_KEY": "key",
                "MAILGUN_SENDER_DOMAIN": "mg.example.org",
                "MAILGUN_API_URL": "https://api.eu.mailgun.net/v3",
            },
        ),
        ("mailjet://key:secret@", {"MAILJET_API_KEY": "key", "MAILJET_SECRET_KEY": "secret"}),
    ],
)
def test_a_provider_of_mail_becomes_anymails_settings(url: str, options: dict[str, str]) -> None:
    server = addresses.mail(url)
    assert server.backend == f"anymail.backends.{url.split(':')[0]}.EmailBackend"
    assert server.sends
    assert server.options == options


@pytest.mark.parametrize("provider", addresses.MAIL_PROVIDERS)
def test_every_provider_is_one_of_anymails(provider: str) -> None:
    import_string(addresses.mail(f"{provider}://a:b@host").backend)


@pytest.mark.parametrize("url", ["redis://cache.example/zero", "rediss://cache.example:6379/0/1"])
def test_a_redis_database_without_a_number_stops_the_start(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL must end in a number"):
        addresses.broker(url)


@pytest.mark.parametrize("url", ["postmark:", "mailgun://", "resend://@api.example"])
def test_a_provider_of_mail_without_a_key_stops_the_start(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL needs a key"):
        addresses.mail(url)
