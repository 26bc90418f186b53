"""Names of other people's that isolation needs: one that has moved is not silence."""

import ast
import functools
import importlib
import importlib.metadata
import platform
import sys
import types
from pathlib import Path

import django
import pytest
from django.core.cache.backends.filebased import FileBasedCache

import ci_cache_isolation
from ci_cache_isolation.errors import NotActiveError
from ci_cache_isolation.isolation import needed, notices
from ci_cache_isolation.isolation.needed import OPTIONAL, REQUIRED

PACKAGE = Path(ci_cache_isolation.__file__).parent
ALL = [(owner, name) for owner, names in REQUIRED.items() for name in names]


# It reads what each package consists of, and that stays as it is.
distributions = functools.cache(importlib.metadata.packages_distributions)


@pytest.fixture(autouse=True)
def packages_are_read_once(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "packages_distributions", distributions)


@pytest.fixture
def rename(monkeypatch, own_notices):
    """Take a name away from what it belongs to, as another version might."""

    def take_away(owner, name):
        found = loaded(owner, monkeypatch)
        if not isinstance(found, type):
            monkeypatch.delattr(found, name)
            return
        for each in found.__mro__:
            if name in vars(each):
                monkeypatch.delattr(each, name)
            if name in getattr(
                getattr(vars(each).get("__init__"), "__code__", None), "co_names", ()
            ):
                monkeypatch.setattr(each, "__init__", lambda _: None)

    return take_away


def loaded(owner, monkeypatch):
    """Import something, or make what stands for a package that is not installed."""
    module, _, name = owner.rpartition(".")
    for each in (owner, module):
        try:
            importlib.import_module(each)
        except (ImportError, RuntimeError):
            continue
    if needed._loaded(owner) is None:
        names = [
            *REQUIRED.get(owner, ()),
            *(each for of, each in OPTIONAL if of == owner),
        ]
        made = types.ModuleType(module)
        setattr(made, name, type(name, (), dict.fromkeys(names)))
        monkeypatch.setitem(sys.modules, module, made)
    return needed._loaded(owner)


@pytest.mark.parametrize("owner", [*REQUIRED, *dict(OPTIONAL)], ids=str)
def test_all_names_are_there_in_these_versions(owner, monkeypatch, nothing_to_say):
    loaded(owner if isinstance(owner, str) else owner[0], monkeypatch)
    needed.check()


@pytest.mark.parametrize(("owner", "name"), ALL)
def test_a_run_without_a_name_that_is_required_does_not_start(rename, owner, name):
    rename(owner, name)
    with pytest.raises(NotActiveError) as caught:
        needed.check()
    assert f"{owner}.{name}" in str(caught.value)
    assert needed.version_of(owner) in str(caught.value)


@pytest.mark.parametrize(("owner", "name"), OPTIONAL)
def test_what_is_lost_without_a_name_that_is_optional_is_said_once(rename, owner, name):
    rename(owner, name)
    needed.check()
    version = needed.version_of(owner)
    lost = OPTIONAL[owner, name]
    # Another class of its library may have it from this one.
    assert f"{owner}.{name} is not there in {version}: {lost}." in notices.take()
    needed.check()
    assert notices.take() == []


def test_the_error_says_what_is_missing_where_and_what_to_do(rename):
    rename("unittest.TestSuite", "_handleClassSetUp")
    rename("django.core.cache.CacheHandler", "create_connection")
    with pytest.raises(NotActiveError) as caught:
        needed.check()
    assert str(caught.value) == (
        "Cache isolation can't work: unittest.TestSuite._handleClassSetUp, "
        "django.core.cache.CacheHandler.create_connection are not there in "
        f"Python {platform.python_version()}, Django {django.get_version()}. It is "
        "done by way of that, so tests would silently share their caches. Use a "
        "version that has it, or say --no-cache-isolation or CI_CACHE_ISOLATION=off."
    )


@pytest.mark.parametrize(
    ("owner", "version"),
    [
        ("django_redis.client.default.DefaultClient", "django-redis "),
        ("unheard_of.Cache", "this unheard_of"),
    ],
)
def test_versions_are_those_of_the_distribution(owner, version):
    assert needed.version_of(owner).startswith(version)


def test_a_backend_that_is_loaded_later_is_looked_into_then(store, rename):
    rename("django.core.cache.backends.filebased.FileBasedCache", "_key_to_file")
    with pytest.raises(NotActiveError, match="_key_to_file"):
        store.prepare(FileBasedCache)


def test_backends_in_settings_are_loaded_if_they_are_djangos(settings, monkeypatch):
    backends = ["django.core.cache.backends.db.DatabaseCache", "absent.Cache"]
    settings.CACHES = {
        **{backend: {"BACKEND": backend} for backend in backends},
        "broken": {"BACKEND": "django.core.cache.backends.absent.Cache"},
        "none": {},
    }
    monkeypatch.delitem(sys.modules, "django.core.cache.backends.db")
    needed.load_backends()
    assert "django.core.cache.backends.db" in sys.modules


# The rest is about the table itself. Where something of somebody else's is replaced,
# and by which names; None for those of a user's class or of our own.
OF_USERS = None
SITES = {
    "evidence/memoised_calls.py": {
        "_find": {
            *("_get_from_cache", "_add_to_cache", "get_for_id", "clear_cache"),
            *("get_by_natural_key", "_get_site_by_id", "_get_site_by_request"),
        }
    },
    "evidence/recorder.py": {"take": OF_USERS},
    # All operations that a backend has.
    "evidence/operations.py": {"wrap_operations": OF_USERS},
    # What a user's tests left there is put back.
    "state/special.py": {"put": OF_USERS},
    "isolation/dialects/base.py": {
        "patch": {"key_func", "validate_key", "make_key", "incr", "decr"},
        # And the "aclear" of a user's own class.
        "_patch_clear": {"clear"},
        "wrap_all": set(),
    },
    "isolation/dialects/clients.py": {
        "patch_client": {
            *("clear", "keys", "iter_keys", "delete_pattern", "reverse_key"),
            *("incr", "decr"),
        },
        "__set__": {"reverse_key"},
        "redirect": {"_params", "_server"},
        "forget_client": {"_client"},
    },
    "isolation/dialects/redis.py": {"redirect": {"_options", "_servers"}},
    "isolation/dialects/database.py": {
        "patch_culling": {"_cull"},
        "_connected": {"ensure_connection"},
    },
    "isolation/dialects/django_mysql.py": {"patch_culling": {"cull"}},
    # Those on hashes that a version has, which may be none.
    "isolation/dialects/django_valkey.py": {"patch_client": OF_USERS},
    "isolation/dialects/generic.py": {
        "patch": {"set", "add", "touch", "set_many"},
        "opened": OF_USERS,
    },
    "isolation/dialects/memcached.py": {
        "patch": {"get_node"},
        "redirect": {"_servers"},
    },
    "isolation/dialects/transactions.py": {
        "__init__": {"savepoint", "savepoint_rollback", "rollback", "close", "commit"},
        "_leave": {"savepoint", "savepoint_rollback", "rollback", "close", "commit"},
    },
    "isolation/filespace.py": {
        "patch": {"_dir", "_key_to_file", "_list_cache_files", "_cull", "clear"},
        "take": OF_USERS,
        "__set__": {"_dir"},
    },
    "isolation/hook.py": {
        "watch": {"create_connection"},
        "unwatch": {"create_connection"},
    },
    "isolation/isolated.py": {
        "not_isolated": OF_USERS,
        "_tests_decorated": OF_USERS,
        "_test_case": OF_USERS,
    },
    "isolation/keys.py": {
        "__set__": {"key_func"},
        "maker_of": OF_USERS,
        "take": OF_USERS,
    },
    "isolation/patches.py": {"wrap": set(), "put": set(), "undo": set()},
    "isolation/process.py": {"_begin_child": OF_USERS},
    "isolation/stores/private_servers.py": {
        "contained_for": OF_USERS,
        "lead_first": {"_class", "_client_cls"},
        "make_own_clients": {"_class", "_client_cls"},
    },
    "isolation/stores/sectioned.py": {"_reach_clear": OF_USERS, "_reaching": OF_USERS},
    "isolation/unittest_hook.py": {
        "attach": set(REQUIRED["unittest.TestSuite"]),
        "detach": set(REQUIRED["unittest.TestSuite"]),
        "_begun": OF_USERS,
        "_ended": OF_USERS,
    },
    "probing/worker.py": {"start": OF_USERS},
    # Python's own sockets, in a process of its own.
    "probing/wire.py": {"__init__": OF_USERS},
    "running/inside/changes.py": {
        "__init__": {"_execute", "_executemany", "callproc", "_commit"}
    },
    "running/inside/databases.py": {"watch_set_up": {"create_test_db"}},
    # What every result object of unittest has.
    "running/inside/unittest_events.py": {"also": OF_USERS},
    "running/inside/pytest_forks.py": {
        "_have_own_directory": {"_given_basetemp"},
        "_silent": {"_tw"},
    },
    # What every object has.
    # Or what a command reads before: it is an error by itself if it is not there.
    "running/inside/script.py": {"run_script": OF_USERS, "run_until_django": OF_USERS},
    "stress/pairs.py": {"from_json": OF_USERS},
}


def test_nothing_is_replaced_that_is_not_in_the_table():
    listed = {name for _, name in ALL} | {name for _, name in OPTIONAL}
    for module, places in SITES.items():
        for place, names in places.items():
            assert (names or set()) <= listed, (module, place)


@pytest.mark.parametrize(
    "module",
    sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")),
)
def test_every_place_that_replaces_something_is_known(module):
    known = set(SITES.get(module, {}))
    assert places_that_replace(ast.parse((PACKAGE / module).read_text())) == known, (
        "What it replaces belongs into the table of isolation/needed.py and into SITES."
    )


def places_that_replace(tree):
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        or (
            isinstance(node, ast.ImportFrom)
            and not (node.module or "").startswith("ci_cache_isolation")
        )
        for alias in node.names
    }
    found = set()

    def look(node, place, states):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            place, states = node.name, states_in(node)
        if is_replacing(node, imported) or is_writing_into(node, states):
            found.add(place)
        for child in ast.iter_child_nodes(node):
            look(child, place, states)

    look(tree, "", set())
    return found


def states_in(function):
    """Return what a function calls the attributes of an object."""
    return {
        ast.unparse(target)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and is_state(node.value)
        for target in node.targets
    }


def is_state(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "vars"


def is_writing_into(node, states):
    """Return whether an attribute of an object is set past its class."""
    return isinstance(node, ast.Assign) and any(
        isinstance(each, ast.Subscript)
        and (is_state(each.value) or ast.unparse(each.value) in states)
        for each in node.targets
    )


def is_replacing(node, imported):
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        return (
            called in {"setattr", "delattr"}
            or called.rpartition(".")[2]
            in {
                *("wrap", "wrap_all"),
            }
            or called.endswith("atches.put")
        )
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    return isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and any(
        is_of_others(each, imported) for each in targets
    )


def is_of_others(target, imported):
    if not isinstance(target, ast.Attribute):
        return False
    root = target
    while not isinstance(root, ast.Name):
        root = getattr(root, "value", None) or root.func
    is_private = target.attr.startswith("_") and root.id not in {"self", "cls"}
    return is_private or (root.id in imported and root.id != "sys")
