"""Whether a generated project is in order, as doctor sees it."""

from pathlib import Path

from tests.commands import Project
from tests.generated.in_process import made_from
from tests.generated.rows import Row


def assert_doctor_finds_nothing(row: Row, folder: Path) -> None:
    """It finds the settings for tests, the runner, and isolation switched on."""
    assert made_from(row, folder) is None
    [project] = (folder / "out").iterdir()
    done = Project(project).python("-m", "ci_cache_isolation", "doctor")
    assert done.err == ""
    assert done.out.splitlines()[:3] == [
        f"settings: {project.name}.settings.test",
        f"tests are run by: {row['runner']}",
        "isolation: on (default)",
    ]
    assert done.code == 0
