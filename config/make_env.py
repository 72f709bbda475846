"""Make or refresh `.venv` from `requirements.lock`: run by `make env` with whatever Python is at hand.

Standard library only. Does nothing when the lock, the Python version and this file are those of the last time; two
runs at once wait for each other.
"""

import hashlib
import os
import shutil
import subprocess
import sys

try:
    import fcntl
except ImportError:  # pragma: no cover
    sys.exit("vitals: this needs Linux or macOS (on Windows: WSL).")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, ".installed")
LOCK = os.path.join(ROOT, "requirements.lock")


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 (this file may be run by any Python)
        sys.exit(f"vitals: Python 3.11 or newer is needed, this is {sys.version.split()[0]} (PYTHON=… chooses another)")
    os.makedirs(VENV, exist_ok=True)
    with open(os.path.join(VENV, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = signature()
        if read(STAMP) != wanted:
            install()
            with open(STAMP, "w") as stamp:
                stamp.write(wanted)


def signature() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in (LOCK, os.path.abspath(__file__)):
        with open(name, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def read(name: str) -> str:
    try:
        with open(name) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def install() -> None:
    with open(LOCK) as lock:
        count = sum(1 for line in lock if "==" in line and not line.startswith((" ", "#")))
    print(f"Installing {count} locked packages into .venv; the first time takes a minute or two …", flush=True)
    # A venv of another Python cannot be reused; one of this Python is brought up to date in place.
    own = os.path.join(VENV, "bin", "python")
    if os.path.lexists(own) and not runs_this_version(own):
        for name in ("bin", "lib", "lib64", "include"):
            remove(os.path.join(VENV, name))
    made = run([sys.executable, "-m", "venv", VENV])
    if made.returncode != 0:
        sys.exit("vitals: `python -m venv` failed; on Debian or Ubuntu: apt-get install python3-venv\n" + made.stdout)
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    pip = [own, "-m", "pip", "install", "-qq", "--require-hashes", "-r", LOCK]
    if subprocess.run(pip, env=environment, stdin=subprocess.DEVNULL).returncode != 0:
        sys.exit("vitals: the packages could not be installed; the reason is above.")


def runs_this_version(python: str) -> bool:
    try:
        return run([python, "-c", "import sys; print(sys.version)"]).stdout.strip() == sys.version.strip()
    except OSError:
        return False


def remove(name: str) -> None:
    if os.path.islink(name):
        os.unlink(name)
    else:
        shutil.rmtree(name, ignore_errors=True)


def run(command: "list[str]") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, check=False
    )


if __name__ == "__main__":
    main()
