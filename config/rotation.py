"""Change the key under which credentials are stored.

Encrypted columns are found by their name: every binary field that ends in `_encrypted`, in every model.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from cryptography.fernet import Fernet, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from config import secrets

SUFFIX = "_encrypted"
SEALED = frozenset({"secret", "seed"})


def keys_are_generated() -> bool:
    return not os.environ.get("VITALS_FERNET_KEYS", "").strip()


def new_generated_key() -> int:
    """Make a key, encrypt everything with it, forget the former keys; returns the number of values.

    A crash at any point leaves every value readable: the new key is stored beside the old ones before the first
    value changes, and the old ones go last.
    """
    file = settings.DATA.keys
    keys = [Fernet.generate_key().decode(), *secrets.generated(file, secrets.FERNET).split(",")]
    secrets.replace(file, secrets.FERNET, ",".join(keys))
    count = encrypt_again(keys)
    secrets.replace(file, secrets.FERNET, keys[0])
    return count


def encrypt_again(keys: Sequence[str]) -> int:
    """Encrypt every stored value with the first key, all or none; `InvalidToken` if one fits no key."""
    box = MultiFernet([Fernet(key) for key in keys])
    count = 0
    with transaction.atomic():
        for model, field in encrypted_fields():
            for row in model._default_manager.select_for_update().only("pk", field):
                value = getattr(row, field)
                if value:
                    setattr(row, field, box.rotate(bytes(value)))
                    row.save(update_fields=[field])
                    count += 1
        if apps.is_installed("allauth.mfa"):
            count += _factors_again(box)
    return count


def _factors_again(box: MultiFernet) -> int:
    """The secrets of second factors, which lie inside JSON."""
    count = 0
    for row in apps.get_model("mfa", "Authenticator")._default_manager.select_for_update():
        for name in SEALED & row.data.keys():
            row.data[name] = box.rotate(row.data[name].encode()).decode()
            count += 1
        row.save(update_fields=["data"])
    return count


def encrypted_fields() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.BinaryField) and field.name.endswith(SUFFIX):
                yield model, field.name
