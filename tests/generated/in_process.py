"""Cookiecutter in this process: a tenth of the time that one of its own takes."""

import json
import sys
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

from cookiecutter.main import cookiecutter

from tests.generated.rows import TEMPLATE

EXTENSIONS = "local_extensions"


def made_from(answers: Mapping[str, str], folder: Path) -> str | None:
    """Generate into ``out`` of a folder, or return the refusal that ends cookiecutter.

    As a command it would print that and end with 1.
    """
    (folder / "out").mkdir(parents=True)
    config = folder / "cookiecutter.yaml"
    # Without a configuration of its own cookiecutter writes into the user's home.
    own = {f"{name}_dir": str(folder / "own") for name in ("cookiecutters", "replay")}
    config.write_text(json.dumps(own))
    # Another template's may be there.
    sys.modules.pop(EXTENSIONS, None)
    try:
        with chdir(folder):
            cookiecutter(
                str(TEMPLATE),
                no_input=True,
                extra_context=answers,
                config_file=str(config),
                output_dir=str(folder / "out"),
            )
    except SystemExit as end:
        return str(end)
    finally:
        sys.modules.pop(EXTENSIONS, None)
    return None
