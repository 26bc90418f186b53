"""Whether a row of answers makes the same project each time, and on each machine."""

import subprocess
import sys
from pathlib import Path

from tests.generated.rows import TEMPLATE, Row
from tests.generated.validity import assert_valid


def generated(
    folder: Path, *answers: str, name: str = "out"
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run cookiecutter, which generates into a folder of that name."""
    config = folder / "cookiecutter.yaml"
    config.write_text(
        f"cookiecutters_dir: {folder / 'templates'}\nreplay_dir: {folder / 'replay'}\n"
    )
    output = folder / name
    output.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"),
        *(f"--config-file={config}", f"--output-dir={output}", *answers),
    ]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done, output


def files_of(folder: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_the_same_twice(row: Row, folder: Path) -> None:
    """Both are valid, byte for byte the same, and hold nothing of the machine."""
    answers = [f"{name}={answer}" for name, answer in row.items()]
    done, first = generated(folder, *answers, name="first")
    assert done.returncode == 0, done.stderr
    command = "nox -s stress" if row["task_runner"] == "nox" else "tox -e stress"
    assert command in done.stdout
    _, second = generated(folder, *answers, name="second")
    files = files_of(first)
    assert files == files_of(second)
    text = b"".join(files.values())
    for word in (str(TEMPLATE.parent), str(Path.home()), str(first), "cookiecutter"):
        assert word.encode() not in text
    assert all(content.endswith(b"\n") for content in files.values() if content)
    assert_valid(first)
