"""Real worker processes on the test's own database, killed where they say that they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from django.conf import settings

STOP_AFTER = """
import sys, time
import django
django.setup()
def stop_after(module, name):
    real = getattr(module, name)
    def stop(*args, **more):
        done = real(*args, **more)
        print("here", flush=True)
        time.sleep(60)
        return done
    setattr(module, name, stop)
"""
"""The beginning of a worker's script: `stop_after(module, "name")` makes it wait, to be killed, after that function."""


def kill(script: str, *arguments: str) -> None:
    """Run STOP_AFTER and the script in a process of its own, and kill it where it waits."""
    address = settings.DATABASES["default"]
    use = f"from django.conf import settings; settings.DATABASES['default']['NAME'] = {address['NAME']!r}"
    whole = (STOP_AFTER + script).replace("django.setup()", f"{use}; django.setup()", 1)
    keys = {"VITALS_SECRET_KEY": settings.SECRET_KEY, "VITALS_FERNET_KEYS": ",".join(settings.FERNET_KEYS)}
    environment = os.environ | keys | {"PYTHONPATH": os.getcwd()}
    worker = subprocess.Popen(
        [sys.executable, "-c", whole, *arguments], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert worker.stdout is not None
    assert worker.stdout.readline().strip() == "here"
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    worker.stdout.close()
    time.sleep(0.2)
