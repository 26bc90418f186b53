"""The entry point for pytest."""

import pytest
from django.core.cache import cache

from ci_cache_isolation import current_section, isolated
from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.environment import ENABLED_VARIABLE
from ci_cache_isolation.isolation.process_state import STATE
from ci_cache_isolation.isolation.scopes import ScopeKind
from ci_cache_isolation.isolation.switch import STACK

ENVIRONMENT = f"environment {ENABLED_VARIABLE}"
MEETING = """
    import pytest
    from django.core.cache import cache

    @pytest.mark.parametrize("number", range(3))
    def test_meeting(number):
        assert cache.add("key", 1)
"""
# Every fixture stores; every test looks whether all is as it was stored, and clears.
FIXTURES = """
    import unittest
    import pytest
    from django.core.cache import cache

    def set_up(scope, *enclosing):
        check(*enclosing)
        assert cache.add(scope, scope), scope

    def check(*scopes):
        assert cache.get_many(scopes) == {scope: scope for scope in scopes}

    def fixture(scope, *enclosing):
        @pytest.fixture(scope=scope, name=f"of_{scope}")
        def function(request):
            for each in enclosing:
                request.getfixturevalue(f"of_{each}")
            set_up(scope, *enclosing)
            yield
            # A test shares its section with its own fixtures, and has cleared it.
            check(*(each for each in (scope, *enclosing) if scope != "function"))

        return function

    class SpoilingTests:
        def test_one(self):
            check(*self.scopes)
            cache.set_many(dict.fromkeys(self.scopes, "spoilt"))

        def test_two(self):
            check(*self.scopes)
            cache.clear()

        def test_three(self):
            check(*self.scopes)
"""
IN_PACKAGE = """
    import pytest
    from fixtures import SpoilingTests, check, fixture, set_up, unittest

    class_fixture = fixture("class", "session", "package", "module")
    module_fixture = fixture("module", "session", "package")
    function_fixture = fixture("function", "session", "package", "module", "class")

    def setup_module():
        set_up("setup_module")

    def teardown_module():
        check("setup_module")

    class TestWithFixtures(SpoilingTests):
        scopes = "session", "package", "module", "class", "function"

        @classmethod
        def setup_class(cls):
            set_up("setup_class", "setup_module")

        @classmethod
        def teardown_class(cls):
            check("setup_class", "setup_module")

        @pytest.fixture(autouse=True)
        def fixtures(self, of_function):
            check("setup_class", "setup_module")

    class UnittestTests(SpoilingTests, unittest.TestCase):
        scopes = "setup_module", "setUpClass", "setUp"

        @classmethod
        def setUpClass(cls):
            set_up("setUpClass", "setup_module")

        def setUp(self):
            set_up("setUp", "setUpClass", "setup_module")

        @classmethod
        def tearDownClass(cls):
            check("setUpClass", "setup_module")

    def test_class_fixture_of_a_function(of_class):
        check("session", "package", "module", "class")

    def test_class_fixture_of_another_function(of_class):
        check("session", "package", "module", "class")

    def test_doctest_like():
        \"\"\"
        >>> from django.core.cache import cache
        >>> cache.add("doctest", 1)
        True
        \"\"\"
        set_up("doctest")
"""
OUTSIDE_PACKAGE = """
    from django.core.cache import cache
    from fixtures import check

    def test_the_package_is_over(of_session):
        check("session")
        assert cache.get("package") is None
        cache.clear()

    def test_the_session_goes_on(of_session):
        check("session")
"""


@pytest.fixture
def inner(pytester, monkeypatch):
    """Run pytest in this very process, as tests of pytest plugins do."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    path, kept, was_started = STACK.path, switch.kept(), STATE.is_started

    def run(source, *arguments):
        pytester.makepyfile(source)
        # Django's test environment can't be set up twice.
        blocked = ("cacheprovider", "randomly", "hypothesispytest", "asyncio", "django")
        return pytester.runpytest_inprocess(
            *(f"-pno:{name}" for name in blocked), *arguments, no_reraise_ctrlc=True
        )

    yield run
    # Whatever went wrong inside: other tests meet nothing, and go on isolated.
    with STACK.at(0):
        cache.clear()
    monkeypatch.delenv(ENABLED_VARIABLE, raising=False)
    switch.put_back(kept)
    if was_started:
        switch.start(switch.state())
    STACK.move_to(path)


@pytest.fixture
def told(monkeypatch, settings):
    """Say a word in the environment and in settings."""

    def tell(**words):
        monkeypatch.setenv(ENABLED_VARIABLE, words["environment"])
        settings.CACHE_ISOLATION = {"enabled": words["settings"]}

    return tell


def header(done):
    """Return what pytest's header says of isolation."""
    return [line for line in lines(done) if line.startswith("cache isolation")]


def outcome(done):
    return lines(done)[-1].strip("= ").partition(" in ")[0]


def lines(done):
    """Return what pytest printed, in a process of its own or in this one."""
    text = done.stdout if isinstance(done.stdout, str) else done.stdout.str()
    return text.splitlines()


@pytest.mark.fresh_interpreter("found by its entry point, imported by pytest")
def test_the_header_says_that_caches_are_isolated(project):
    project.write("test_meeting", MEETING)
    done = project.pytest()
    assert header(done) == ["cache isolation: on (default)"]
    assert outcome(done) == "3 passed"


INI_ON, INI_OFF = "-ocache_isolation_enabled=on", "-ocache_isolation_enabled=off"


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["--no-cache-isolation", INI_ON], "on", "off (command line)"),
        (["--cache-isolation", INI_OFF], "off", "on (command line)"),
        ([INI_ON], "off", "off (environment CI_CACHE_ISOLATION)"),
        ([INI_OFF], "", "off (ini cache_isolation_enabled)"),
        ([], "", "off (settings.CACHE_ISOLATION['enabled'])"),
    ],
)
def test_options_have_an_order(inner, told, arguments, environment, expected):
    told(environment=environment, settings="off")
    done = inner(MEETING, *arguments)
    assert header(done) == [f"cache isolation: {expected}"]
    is_on = expected.startswith("on")
    assert outcome(done) == ("3 passed" if is_on else "2 failed, 1 passed")


def test_the_last_option_of_a_command_line_counts(inner):
    done = inner(MEETING, "--no-cache-isolation", "--cache-isolation")
    assert header(done) == ["cache isolation: on (command line)"]


@pytest.mark.parametrize("source", ["ini cache_isolation_enabled", ENVIRONMENT])
def test_a_word_that_means_nothing_is_a_usage_error(inner, monkeypatch, source):
    if source == ENVIRONMENT:
        monkeypatch.setenv(ENABLED_VARIABLE, "perhaps")
    done = inner(MEETING, "-o", "cache_isolation_enabled=perhaps")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.str().strip() == (
        f"ERROR: {source} is 'perhaps', which is neither on nor off. "
        "Isolation must not be guessed: what you test would depend on it. "
        "Set it to 'on' or 'off', or leave it out."
    )


def test_the_plugin_can_be_blocked(inner):
    done = inner(MEETING, "-pno:ci_cache_isolation")
    assert header(done) == []
    assert outcome(done) == "2 failed, 1 passed"


@pytest.mark.fresh_interpreter("what it imports is looked at")
def test_without_django_nothing_is_said_and_nothing_is_imported(project):
    project.write(
        "test_plain",
        """
        import sys
        import pytest

        @pytest.fixture(scope="module")
        def fixture():
            yield

        def test_plain(fixture):
            assert [name for name in sys.modules if name.startswith("django")] == []
        """,
    )
    done = project.pytest("-pno:django", DJANGO_SETTINGS_MODULE="")
    assert outcome(done) == "1 passed"
    assert "isolation" not in done.stdout.replace("ci-cache-isolation-", "")


def test_without_settings_nothing_is_said_and_nothing_fails(project):
    project.write("test_plain", "def test_plain():\n    import django.core.cache\n")
    done = project.pytest(DJANGO_SETTINGS_MODULE="")
    assert (outcome(done), header(done)) == ("1 passed", [])


@pytest.mark.parametrize(
    ("arguments", "environment", "source"),
    [
        (["--cache-isolation"], "", "command line"),
        ([], "on", "environment CI_CACHE_ISOLATION"),
        (["-o", "cache_isolation_enabled=on"], "", "ini cache_isolation_enabled"),
    ],
)
def test_isolation_that_was_asked_for_and_cannot_be_active_fails_the_run(
    project, arguments, environment, source
):
    project.write("test_plain", "def test_plain():\n    import django.core.cache\n")
    done = project.pytest(
        *arguments, DJANGO_SETTINGS_MODULE="", CI_CACHE_ISOLATION=environment
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr == (
        f"ERROR: Cache isolation was asked for ({source}) and is not active: no Django "
        "settings are configured, so there are no caches to isolate. "
        "Set DJANGO_SETTINGS_MODULE, or leave isolation out.\n\n"
    )


def test_django_that_is_configured_by_a_test_module_is_isolated_too(project):
    project.write(
        "test_configuring",
        """
        from django.conf import settings

        settings.configure()
        """,
        MEETING,
    )
    done = project.pytest("-pno:django", DJANGO_SETTINGS_MODULE="")
    assert outcome(done) == "3 passed"
    assert "cache isolation: on (default)" in done.stdout
    leaking = project.pytest(
        "-pno:django", "--no-cache-isolation", DJANGO_SETTINGS_MODULE=""
    )
    assert outcome(leaking) == "2 failed, 1 passed"


@pytest.fixture
def fixtures_project(project):
    project.write("fixtures", FIXTURES)
    project.write(
        "conftest", "from fixtures import fixture\nof_session = fixture('session')\n"
    )
    project.write("package.__init__")
    project.write(
        "package.conftest",
        "from fixtures import fixture\nof_package = fixture('package', 'session')\n",
    )
    for name in ("package.test_one", "package.test_two"):
        project.write(name, IN_PACKAGE)
    project.write("test_outside", OUTSIDE_PACKAGE)
    return project


def test_fixtures_of_every_scope_stay_as_they_stored(fixtures_project):
    done = fixtures_project.pytest("--doctest-modules", "--ignore=conftest.py")
    assert outcome(done) == "22 passed", done.stdout
    leaking = fixtures_project.pytest(
        "--doctest-modules", "--ignore=conftest.py", "--no-cache-isolation"
    )
    assert leaking.returncode == pytest.ExitCode.TESTS_FAILED


def test_workers_of_xdist_isolate_as_they_are_told(fixtures_project):
    done = fixtures_project.pytest("-n1")
    assert outcome(done) == "20 passed", done.stdout
    assert header(done) == ["cache isolation: on (default)"]
    leaking = fixtures_project.pytest("-n1", "--no-cache-isolation")
    assert leaking.returncode == pytest.ExitCode.TESTS_FAILED
    assert header(leaking) == ["cache isolation: off (command line)"]


DECORATED = """
    from django.core.cache import cache
    from ci_cache_isolation import isolated

    @isolated
    def test_one():
        cache.set("key", 1)

    def test_two():
        assert cache.get("key") == 1
"""


def test_a_decorator_does_nothing_where_the_command_line_said_off(inner):
    assert outcome(inner(DECORATED, "--no-cache-isolation")) == "2 passed"


def test_a_decorator_isolates_where_the_command_line_said_on(inner, monkeypatch):
    monkeypatch.setenv(ENABLED_VARIABLE, "off")
    assert outcome(inner(DECORATED, "--cache-isolation")) == "1 failed, 1 passed"


@pytest.mark.parametrize(
    ("option", "expected"),
    [("--cache-isolation", "6 passed"), ("--no-cache-isolation", "5 failed, 1 passed")],
)
def test_an_item_that_runs_again_meets_nothing_of_its_first_run(
    inner, pytester, option, expected
):
    pytester.makeconftest(
        """
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            for _ in range(2):
                for report in runtestprotocol(item, nextitem=nextitem, log=False):
                    item.ihook.pytest_runtest_logreport(report=report)
            return True
        """
    )
    assert outcome(inner(MEETING, option)) == expected


@pytest.mark.parametrize(
    ("option", "found"),
    [("--cache-isolation", "of session"), ("--no-cache-isolation", "of test")],
)
def test_a_run_that_stops_early_still_tears_down_in_its_scopes(inner, option, found):
    done = inner(
        """
        import pytest
        from django.core.cache import cache

        @pytest.fixture(scope="session")
        def stored():
            cache.set("key", "of session")
            yield
            print("found", cache.get("key"))

        def test_one(stored):
            cache.set("key", "of test")
            assert False

        def test_two(stored):
            assert False
        """,
        "-x",
        "-s",
        option,
    )
    assert outcome(done) == "1 failed"
    assert f"found {found}" in done.stdout.str()


def test_a_test_stands_in_its_scopes():
    kinds = [scope.kind for scope in STACK.path]
    assert kinds[0] is ScopeKind.SESSION
    assert kinds[-2:] == [ScopeKind.MODULE, ScopeKind.TEST]
    assert STACK.innermost.name.endswith(".test_a_test_stands_in_its_scopes")
    assert STACK.innermost.function is test_a_test_stands_in_its_scopes


class TestOfAClass:
    def test_a_method_stands_in_its_class_too(self):
        kinds = [scope.kind for scope in STACK.path]
        assert kinds[-3:] == [ScopeKind.MODULE, ScopeKind.CLASS, ScopeKind.TEST]
        assert STACK.path[-2].name == f"{__name__}.TestOfAClass"


@pytest.mark.parametrize(
    ("option", "expected"),
    [("--cache-isolation", "5 passed"), ("--no-cache-isolation", "3 failed, 2 passed")],
)
def test_a_block_that_a_fixture_yields_in_lasts_as_long_as_the_fixture(
    inner, option, expected
):
    done = inner(
        """
        import pytest
        from django.core.cache import cache
        from ci_cache_isolation import isolated

        @pytest.fixture(scope="class")
        def block():
            with isolated():
                cache.set("of-block", 1)
                yield
                assert cache.get("of-block") == 1

        @pytest.mark.usefixtures("block")
        class TestInBlock:
            @pytest.mark.parametrize("number", range(3))
            def test_in_block(self, number):
                assert cache.get("of-block") == 1
                cache.clear()

        @pytest.mark.parametrize("number", range(2))
        def test_after_block(number):
            assert cache.add("of-block", 1)
            assert number == 0 or cache.add("of-test", 1)
        """,
        option,
    )
    assert outcome(done).removesuffix(", 1 error") == expected


INNER = """
    import pytest
    from django.core.cache import cache

    @pytest.fixture(scope="session")
    def stored():
        assert cache.get("outer") == 1
        cache.set("outer", 2)

    @pytest.mark.parametrize("number", range(2))
    def test_inner(stored, number):
        assert cache.incr("outer") == 3
        assert cache.add("inner", 1)
"""


def test_a_test_may_run_pytest_in_its_own_process(inner):
    path, section = STACK.path, current_section()
    cache.set("outer", 1)
    inner(INNER).assert_outcomes(passed=2)
    assert (STACK.path, current_section()) == (path, section)
    assert cache.get_many(["outer", "inner"]) == {"outer": 1}


def test_an_inner_run_that_is_interrupted_leaves_nothing(inner):
    path, section = STACK.path, current_section()
    done = inner(
        """
        from django.core.cache import cache

        def test_inner():
            cache.set("inner", 1)
            raise KeyboardInterrupt
        """
    )
    assert done.ret == pytest.ExitCode.INTERRUPTED
    assert (STACK.path, current_section()) == (path, section)
    assert cache.get("inner") is None


def test_an_inner_run_that_is_not_isolated_leaves_the_outer_one_isolated(inner):
    path = STACK.path
    cache.set("outer", 1)
    inner(
        """
        from django.core.cache import cache
        from ci_cache_isolation.isolation.switch import is_installed

        def test_inner():
            assert not is_installed()
            cache.set("met", 1)

        def test_another_inner():
            assert cache.get("met") == 1
            cache.delete("met")
        """,
        "--no-cache-isolation",
    ).assert_outcomes(passed=2)
    assert switch.is_installed()
    assert STACK.path == path
    with isolated():
        cache.set("of-block", 1)
    assert cache.get("of-block") is None
