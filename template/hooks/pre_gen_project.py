"""Refuse answers that would break the project; local_extensions.py has the rules.

Answers from the command line and from the prompt were looked at when they were given.
What cookiecutter replays from an earlier run comes only by here.
"""

import sys

refusal = {{ cookiecutter | refusal | tojson }}

if refusal:
    sys.exit(refusal)
