#!/usr/bin/env python
"""Django's command line, with the settings for tests when it runs tests."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    settings = "test" if sys.argv[1:2] == ["test"] else "base"
    os.environ.setdefault(
        "DJANGO_SETTINGS_MODULE",
        f"{{ cookiecutter.project_slug }}.settings.{settings}",
    )
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
