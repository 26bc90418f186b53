"""Tidy up, and say what to do next."""

from pathlib import Path

# Cookiecutter makes the folders of files that were not chosen.
for folder in (".github/workflows", ".github"):
    path = Path(folder)
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()

{%- set install = 'nox[uv]' if cookiecutter.task_runner == 'nox' else 'tox' %}
{%- set command = 'nox -s' if cookiecutter.task_runner == 'nox' else 'tox -e' %}

print("""
The project is in the folder {{ cookiecutter.project_slug }}. Next:

    cd {{ cookiecutter.project_slug }}
    python -m pip install "{{ install }}"
    {{ command }} stress
""")
