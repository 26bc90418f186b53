{%- set is_tox = cookiecutter.task_runner == "tox" -%}
{%- set extras = "stress" ~ (",pytest" if cookiecutter.runner == "pytest" else "") ~ (",server" if cookiecutter.cache_backend in ("redis", "valkey") else "") -%}
"""Tidy up, and say what to do next."""

import shlex
from pathlib import Path

# Cookiecutter makes the folders of files that were not chosen.
for folder in (".github/workflows", ".github"):
    path = Path(folder)
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()

template = {{ cookiecutter._template | default("", true) | string | tojson }}
clone = Path({{ cookiecutter._repo_dir | default("", true) | string | tojson }}).resolve().parent


def source():
    """Return the URL of ci-cache-isolation, which is where this template is.

    Nothing where the checks find it themselves, or it is not known.
    """
    if (clone / "ci_cache_isolation" / "__init__.py").is_file():
        above = Path().resolve().parents
        is_near = clone in above or clone.parent in above
        return "" if is_near and not {{ is_tox }} else clone.as_uri()
    if template.startswith("git@"):
        return "git+ssh://" + template.replace(":", "/", 1)
    return f"git+{template}" if "://" in template else ""


say_where = ""
if url := source():
    requirement = shlex.quote(f"ci-cache-isolation[{{ extras }}] @ {url}")
    say_where = f"\n    export CI_CACHE_ISOLATION_SOURCE={requirement}"

print(f"""
The project is in the folder {{ cookiecutter.project_slug }}. Next:

    cd {{ cookiecutter.project_slug }}
    python -m pip install "{{ "tox" if is_tox else "nox[uv]" }}"{say_where}
    {{ "tox -e" if is_tox else "nox -s" }} stress
""")
if say_where:
    print("ci-cache-isolation is not published yet: README.md says more of that line.")
