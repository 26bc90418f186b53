"""Workflows run without GitHub: their own lines, job by job, artifacts as folders.

Of expressions, conditions and actions there is what our workflows use. Anything else is
an error here, so that nothing is skipped unseen.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import yaml

EXPRESSION = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")
NOTHING_TO_DO = ("actions/checkout@", "actions/setup-python@")


def read(path):
    """Return a workflow, ``on`` as what it is."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}


def evaluated(value, contexts):
    """Return a value with its expressions put in, as text unless it is one alone."""
    if not isinstance(value, str):
        return value
    if alone := EXPRESSION.fullmatch(value):
        found = _of(alone[1], contexts)
        return "" if found is None else found
    return EXPRESSION.sub(lambda each: str(_of(each[1], contexts)), value)


def _of(expression, contexts):
    if default := re.fullmatch(r"([\w.]+) \|\| '([^']*)'", expression):
        return _of(default[1], contexts) or default[2]
    if call := re.fullmatch(r"(fromJSON|toJSON)\(([\w.]+)\)", expression):
        value = _of(call[2], contexts)
        return json.loads(value) if call[1] == "fromJSON" else json.dumps(value)
    if expression == "join(needs.*.result, ' ')":
        return " ".join(need["result"] for need in contexts["needs"].values())
    assert re.fullmatch(r"[a-z_]+(\.[\w-]+)*", expression), expression
    head, *names = expression.split(".")
    value = contexts[head]
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _holds(condition, *, is_well):
    """Say whether a job or step begins, after others that went well or did not."""
    if condition is None:
        return is_well
    assert condition in ("${{ !cancelled() }}", "always()"), condition
    return True


@dataclass
class Done:
    """What became of one job, or of one entry of its matrix."""

    result: str = "success"
    outputs: dict = field(default_factory=dict)
    log: str = ""
    summary: str = ""


@dataclass
class Workflow:
    """A workflow that runs on copies of a repository."""

    path: Path
    repository: Path
    folder: Path
    environment: dict
    inputs: dict = field(default_factory=dict)
    variables: dict = field(default_factory=dict)
    event: dict = field(default_factory=dict)
    lost: str = ""
    """Pattern of artifacts that do not arrive, as those of a machine that dies."""

    def run(self):
        """Run all jobs; return what became of them, by name and entry."""
        document = read(self.path)
        assert document["permissions"] == {}
        self.artifacts = self.folder / "artifacts"
        self.artifacts.mkdir(parents=True, exist_ok=True)
        jobs = document["jobs"]
        done = {}
        while len(done) < len(jobs):
            name = next(
                name
                for name, job in jobs.items()
                if name not in done and set(job.get("needs", ())) <= set(done)
            )
            done[name] = self._job(name, jobs[name], done)
        return done

    def _job(self, name, job, done):
        needs = {
            need: {
                "outputs": done[need][0].outputs,
                "result": next(
                    (each.result for each in done[need] if each.result != "success"),
                    "success",
                ),
            }
            for need in job.get("needs", ())
        }
        is_well = all(each["result"] == "success" for each in needs.values())
        if not _holds(job.get("if"), is_well=is_well):
            return [Done("skipped")]
        contexts = {
            "inputs": self.inputs,
            "vars": self.variables,
            "needs": needs,
            "github": {"run_number": 7, "run_attempt": 2, "event": self.event},
        }
        matrix = job.get("strategy", {}).get("matrix", {})
        assert len(matrix) <= 1
        entries = [{}]
        for key, values in matrix.items():
            entries = [
                each if key == "include" else {key: each}
                for each in evaluated(values, contexts)
            ]
        with ThreadPoolExecutor(len(entries)) as pool:
            runs = [
                pool.submit(
                    self._entry, job, contexts | {"matrix": entry}, f"{name}-{number}"
                )
                for number, entry in enumerate(entries)
            ]
            return [each.result() for each in runs]

    def _entry(self, job, contexts, name):
        """Run one job on a machine of its own, that is in a folder of its own."""
        machine = self.folder / name
        workspace = machine / "workspace"
        checks_out = any("checkout" in each.get("uses", "") for each in job["steps"])
        if checks_out:
            shutil.copytree(self.repository, workspace)
        workspace.mkdir(parents=True, exist_ok=True)
        done, steps = Done(), {}
        contexts = contexts | {"steps": steps}
        for step in job["steps"]:
            if not _holds(step.get("if"), is_well=done.result == "success"):
                continue
            if "run" in step:
                outputs, is_well = self._run(job, step, contexts, machine, done)
                steps[step.get("id")] = {
                    "outputs": outputs,
                    "outcome": "success" if is_well else "failure",
                }
            else:
                is_well = self._use(step, contexts, workspace)
            if not is_well:
                done.result = "failure"
        done.outputs = {
            key: evaluated(value, contexts)
            for key, value in job.get("outputs", {}).items()
        }
        return done

    def _run(self, job, step, contexts, machine, done):
        assert "${{" not in step["run"]
        output, summary = machine / "output", machine / "summary.md"
        output.write_text("")
        summary.write_text("")
        variables = {
            key: str(evaluated(value, contexts))
            for source in (job, step)
            for key, value in source.get("env", {}).items()
        }
        run = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=machine / "workspace",
            env={
                **self.environment,
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(machine / "workspace"),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=900,
            check=False,
        )
        done.log += run.stdout
        done.summary += summary.read_text(encoding="utf-8")
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return outputs, run.returncode == 0

    def _use(self, step, contexts, workspace):
        options = {
            key: evaluated(value, contexts) for key, value in step["with"].items()
        }
        action = step["uses"]
        if action.startswith("actions/upload-artifact@"):
            return self._upload(workspace / options["path"], options["name"])
        if action.startswith("actions/download-artifact@"):
            assert options["merge-multiple"] is True
            for each in sorted(self.artifacts.iterdir()):
                if fnmatch(each.name, options["pattern"]):
                    path = workspace / options["path"]
                    shutil.copytree(each, path, dirs_exist_ok=True)
            return True
        assert action.startswith(NOTHING_TO_DO), action
        return True

    def _upload(self, path, name):
        """Keep a folder under a name that no other may have; hidden files stay."""
        if self.lost and fnmatch(name, self.lost):
            return True
        if path.is_dir():
            hidden = shutil.ignore_patterns(".*")
            shutil.copytree(path, self.artifacts / name, ignore=hidden)
        return True


def machine(folder, packages):
    """Make a Python with pip that has what this one has; return the environment."""
    subprocess.run(
        [sys.executable, "-m", "venv", folder], check=True, capture_output=True
    )
    [site] = folder.glob("lib/python*/site-packages")
    (site / "of_this_run.pth").write_text(f"{packages}\n")
    foreign = ("CI_CACHE_", "COVERAGE_", "DJANGO_", "GITHUB_", "NOX_", "PYTEST_", "UV_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and name not in {"VIRTUAL_ENV", "CI"}
    }
    own = Path(sys.executable).parent
    return kept | {"PATH": f"{folder / 'bin'}:{own}:{kept['PATH']}"}


def results(done):
    """Return how the jobs of each name ended."""
    return {name: [each.result for each in entries] for name, entries in done.items()}


def logs(done):
    return "\n".join(each.log for entries in done.values() for each in entries)
