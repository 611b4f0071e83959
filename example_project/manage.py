#!/usr/bin/env python
"""Runs the commands of the example site, from any folder."""

import os
import sys
from pathlib import Path


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    try:
        import environ  # noqa: F401
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        raise SystemExit(f'{error}. Run: python -m pip install -e ".[example]"') from None
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
