#!/usr/bin/env python
"""Vitals' commands: `python manage.py up` runs everything, `python manage.py help` lists the rest."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.commandline import run

    run(sys.argv)


if __name__ == "__main__":
    main()
