"""The template for an existing project: what it adds, and that it changes nothing."""

import importlib
import re
import sys

import pytest

from tests.existing import (
    MANAGE,
    NOX,
    OWN_SETTINGS,
    ROOT,
    RUNNER,
    SETTINGS,
    TEMPLATE,
    TESTS,
    WORKFLOW,
    Existing,
    added,
    made_pytest_site,
    made_site,
    made_site_with_a_runner,
)


@pytest.fixture
def site(tmp_path):
    return made_site(tmp_path / "my-site")


@pytest.fixture
def modules(monkeypatch):
    """The template's own modules, which are no part of the package."""
    monkeypatch.syspath_prepend(str(TEMPLATE))
    names = ("existing_project", "existing_answers", "local_extensions")
    yield {name: importlib.import_module(name) for name in names}
    for name in names:
        del sys.modules[name]


def test_a_project_with_manage_py_gets_settings_sessions_and_a_workflow(site):
    before = site.files()
    done = site.adopt()
    assert added(site, done, before) == [WORKFLOW, RUNNER, SETTINGS, NOX]
    for name in (WORKFLOW, RUNNER, SETTINGS, NOX):
        assert f"    {name}\n" in done.stdout
    text = b"".join(site.files().values())
    assert str(ROOT).encode() not in text
    assert str(site.folder).encode() not in text
    assert b"cookiecutter" not in text

    assert site.python("manage.py", "test").returncode == 0
    assert site.python("manage.py", "test", "--reverse").returncode == 1
    passed = site.session("tests", "--reverse")
    assert passed.returncode == 0, passed.stderr
    assert "Cache isolation: on" in passed.stdout + passed.stderr
    doctor = site.python(
        *("-m", "ci_cache_isolation", "doctor"),
        *("--settings", "mysite.settings_cache_isolation"),
    )
    assert doctor.returncode == 0
    assert "switched on by: isolate() in the settings and TEST_RUNNER" in doctor.stdout
    assert "cache 'default': memory (its backend)" in doctor.stdout


def test_a_runner_of_its_own_gets_the_mixin_and_stays(tmp_path):
    site = made_site_with_a_runner(tmp_path / "my-site")
    before = site.files()
    added(site, site.adopt(), before)
    assert site.python("manage.py", "test", "--reverse").returncode == 1
    done = site.session("tests")
    assert done.returncode == 0, done.stderr
    done = site.session("tests", "--reverse", "--parallel", "2")
    assert done.returncode == 0
    assert "run by the project's own runner" in done.stdout
    assert "Cache isolation: on" in done.stdout + done.stderr


def test_a_runner_that_has_the_mixin_stays_as_it_is(site):
    runner = 'TEST_RUNNER = "ci_cache_isolation.runner.IsolatedRunner"'
    site.write("mysite/settings.py", f"{OWN_SETTINGS}\n    {runner}\n")
    assert site.adopt().returncode == 0
    assert site.session("tests", "--reverse").returncode == 0


@pytest.mark.fresh_interpreter("what it imports is looked at")
def test_its_settings_do_not_import_django_test(site):
    assert site.adopt().returncode == 0
    done = site.python(
        "-c",
        "import sys, mysite.settings_cache_isolation;"
        "sys.exit('django.test' in sys.modules)",
    )
    assert done.returncode == 0, done.stderr


def test_settings_without_caches_get_djangos_default(site):
    site.write("mysite/settings.py", 'SECRET_KEY = "not a secret"\n')
    assert site.adopt().returncode == 0
    assert site.session("tests", "--reverse").returncode == 0


def test_a_pytest_project_gets_sessions_and_a_workflow_and_needs_no_settings(tmp_path):
    site = made_pytest_site(tmp_path / "my-site")
    before = site.files()
    done = site.adopt()
    assert added(site, done, before) == [WORKFLOW, NOX]
    assert "pytest isolates caches by itself" in done.stdout
    passed = site.session("tests", "-p", "no:randomly")
    assert passed.returncode == 0, passed.stdout
    assert "cache isolation: on (default)" in passed.stdout


@pytest.mark.parametrize("force", [["-f"], ["-f", "-s"]])
def test_what_is_there_stays_byte_for_byte_and_what_is_missing_is_said(site, force):
    for name in (NOX, WORKFLOW, SETTINGS, RUNNER):
        site.write(name, f"# {name}: of the project itself\r\n")
    site.write("noxfile.py", "# of the project itself\n")
    before = site.files()
    done = site.adopt(force=force)
    assert added(site, done, before) == []
    assert "Nothing was added" in done.stdout
    by_hand = done.stdout.partition("add by hand")[2]
    for line in (
        f"    {NOX}\n",
        "cache-isolation stress --runner django -- --settings=mysite.settings_cache_",
        f"    {WORKFLOW}\n",
        f"python -m nox -f {NOX} -s audit stress",
        f"    {SETTINGS}\n",
        "CACHES = isolate(CACHES)",
        f"    {RUNNER}\n",
        "ProjectRunner",
    ):
        assert line in by_hand


def test_one_that_is_there_is_left_and_the_others_are_added(site):
    site.write("noxfile.py", "import nox\n")
    site.write(WORKFLOW, "name: Ours\n")
    before = site.files()
    done = site.adopt()
    assert added(site, done, before) == [RUNNER, SETTINGS, NOX]
    assert (
        f"left alone. Where it is not this template's, add by hand:\n    {WORKFLOW}"
        in (done.stdout)
    )


def test_a_link_that_leads_nowhere_is_left_alone(site):
    (site.folder / NOX).symlink_to(site.folder.parent / "elsewhere.py")
    assert site.adopt().returncode == 0
    assert (site.folder / NOX).is_symlink()
    assert not (site.folder.parent / "elsewhere.py").exists()


def test_a_second_time_and_a_replay_change_nothing(site, tmp_path):
    site.adopt()
    once = site.files()
    assert added(site, site.adopt(), once) == []
    assert added(site, site.adopt(replay=True), once) == []
    for name in (NOX, WORKFLOW, SETTINGS, RUNNER):
        (site.folder / name).unlink()
    site.adopt(replay=True)
    assert site.files() == once


def test_without_the_option_that_cookiecutter_needs_it_says_which(site):
    before = site.files()
    done = site.adopt(force=[])
    assert done.returncode == 1
    assert "--overwrite-if-exists is not given" in done.stderr
    assert "no file is overwritten" in done.stderr
    assert site.files() == before


@pytest.mark.parametrize(
    ("files", "settings", "beside"),
    [
        (["mysite/settings/__init__.py"], "mysite.settings", "mysite"),
        (["mysite/settings/test.py"], "mysite.settings.test", "mysite/settings"),
        (["src/mysite/settings.py"], "mysite.settings", "src/mysite"),
        (["settings.py"], "settings", "."),
    ],
)
def test_wherever_the_settings_are_the_new_ones_go_beside(
    tmp_path, files, settings, beside
):
    project = Existing(tmp_path / "p")
    for name in ("manage.py", *files):
        project.write(name, "")
    before = project.files()
    done = project.adopt(f"settings={settings}")
    prefix = "" if beside == "." else f"{beside}/"
    names = added(project, done, before)
    assert f"{prefix}settings_cache_isolation.py" in names
    package = settings.rpartition(".")[0]
    dotted = f"{package}.settings_cache_isolation".lstrip(".")
    assert f'SETTINGS = "{dotted}"' in (project.folder / NOX).read_text()


def test_a_manage_py_below_is_found_and_tests_are_run_there(tmp_path):
    project = Existing(tmp_path / "p")
    project.write("backend/manage.py", MANAGE)
    project.write("backend/mysite/__init__.py", "")
    project.write("backend/mysite/settings.py", OWN_SETTINGS)
    project.write("backend/mysite/tests.py", TESTS)
    project.write("backend/requirements.txt", "django\n")
    before = project.files()
    names = added(project, project.adopt(), before)
    assert f"backend/{SETTINGS}" in names
    assert NOX in names
    assert '"backend/requirements.txt"' in (project.folder / NOX).read_text()
    assert project.session("tests", "--reverse").returncode == 0


REQUIREMENTS = [
    ({}, ""),
    ({"requirements.txt": ""}, "-r requirements.txt"),
    (
        {
            "requirements.txt": "",
            "requirements-dev.txt": "",
            "test-requirements.txt": "",
        },
        "-r requirements.txt -r test-requirements.txt",
    ),
    (
        {"requirements/base.txt": "", "requirements/dev.txt": ""},
        "-r requirements/dev.txt",
    ),
    (
        {"requirements/base.txt": "", "requirements/x.txt": ""},
        "-r requirements/base.txt",
    ),
    ({"setup.py": ""}, "-e ."),
    (
        {"setup.py": "", "setup.cfg": "[options.extras_require]\ntests = a\ndev = b\n"},
        "-e '.[tests]'",
    ),
    (
        {
            "pyproject.toml": "[build-system]\nrequires = []\n"
            "[project.optional-dependencies]\ndocs = []\ndev = []\n"
            "[dependency-groups]\ntest = []\n"
        },
        "-e '.[dev]' --group test",
    ),
    (
        {"pyproject.toml": "[project]\nname = 'x'\n[dependency-groups]\ndev = []\n"},
        "-r pyproject.toml --group dev",
    ),
    ({"pyproject.toml": "broken ["}, ""),
    (
        {
            "tox.ini": "[testenv]\ndeps =\n"
            "    dj52: django~=5.2\n    Django>=4\n    django-filter >= 2, <99\n"
            "    coverage[toml]  # why\n    {[base]deps}\n    -e .\n    .[x]\n"
            "    -rci/all.txt\n"
            "    git+https://example.org/a.git#egg=a\n    html5lib==1.1\n",
            "setup.py": "",
        },
        "-e . 'django-filter>=2,<99' 'coverage[toml]' -r ci/all.txt html5lib==1.1",
    ),
    (
        {"tox.ini": "[testenv]\ndeps = a\n", "requirements-test.txt": ""},
        "-r requirements-test.txt",
    ),
    ({"tox.ini": "[testenv]\ndeps =\n" + 99 * "    a\n"}, ""),
]


@pytest.mark.parametrize(("files", "words"), REQUIREMENTS)
def test_what_tests_need_is_found(site, modules, files, words):
    for name, text in files.items():
        site.write(name, text)
    assert modules["existing_project"].requirements_of(site.folder, ".") == words


def test_what_nox_installs_is_said(site):
    site.write("requirements.txt", "")
    assert "nox installs for the tests: -r requirements.txt\n" in site.adopt().stdout
    said = site.adopt("install=").stdout
    assert "nox installs for the tests: nothing of the project\n" in said


HOSTILE = [
    "it's",
    "two\nlines",
    "back\\slash",
    "$(touch owned)",
    "`touch owned`",
    "; touch owned",
    "../..",
    "/etc",
    " leading",
    "\t",
    "\0",
    "x" * 500 + "!",
    "\x1b[31m",
    '"',
]
FITTING = {"folder": ".", "runner": "django", "settings": "a.b", "install": "-e ."}
# These are paths, or nothing, or a name in quotes, to pip.
OF_PIP = {"../..", "/etc", " leading", "back\\slash"}


@pytest.mark.parametrize("answer", HOSTILE)
@pytest.mark.parametrize("name", FITTING)
def test_hostile_answers_are_refused(modules, name, answer):
    checked = modules["existing_answers"].checked
    assert checked(FITTING) == "yes"
    if name == "install" and answer in OF_PIP:
        assert checked(FITTING | {name: answer}) == "yes"
        return
    with pytest.raises(SystemExit, match=rf"^{name} is .*Answer with ") as refused:
        checked(FITTING | {name: answer})
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "answer",
    [
        "folder=$(touch owned)",
        "runner={{ 7*7 }}",
        "settings=os; touch owned",
        "install={% raw %}",
    ],
)
def test_they_are_refused_before_anything_is_added(site, answer):
    before = site.files()
    done = site.adopt(answer)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert re.search(r"^(folder |settings |An answer is )", done.stderr)
    assert site.files() == before
    assert not list(site.folder.parent.rglob("owned"))


def test_what_is_said_to_pip_is_quoted_for_the_file_that_it_goes_into(site):
    said = """-e '.[a]' "--config=\\" + open('x') + \\"" 'b; python_version > "3"'"""
    assert site.adopt(f"install={said}").returncode == 0
    done = site.session("tests")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("settings=mysite.nothing", "settings is 'mysite.nothing', and no such module"),
        ("settings=", "settings is '', which is no dotted name of a Python module"),
        (
            "settings=mysite.class",
            "settings is 'mysite.class', which is no dotted name",
        ),
        ("folder=backend", "folder is 'backend', and there is none in "),
        ("runner=nose", "runner is 'nose', which this template does not know"),
    ],
)
def test_what_does_not_fit_the_project_is_refused_with_its_reason(site, answer, found):
    before = site.files()
    done = site.adopt("settings=mysite.settings", answer)
    assert done.returncode == 1
    assert found in done.stderr
    assert "Traceback" not in done.stderr
    assert site.files() == before


def test_a_file_where_a_folder_has_to_be_is_refused(site):
    site.write(".github", "")
    before = site.files()
    done = site.adopt()
    assert done.returncode == 1
    assert "/.github is no folder, and cache-isolation.yml" in done.stderr
    assert site.files() == before
