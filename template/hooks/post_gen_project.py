"""Say what to do next."""

print("""
The project is in the folder {{ cookiecutter.project_slug }}. Next:

    cd {{ cookiecutter.project_slug }}
    python -m pip install "nox[uv]"
    nox -s stress
""")
