"""Runs Django's commands; START_METHOD chooses how test processes are started."""

import multiprocessing
import os
import sys

if __name__ == "__main__":
    if method := os.environ.get("START_METHOD"):
        multiprocessing.set_start_method(method)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kinds.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
