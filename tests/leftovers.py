"""What a stress run on a real server could leave behind."""

from tests.commands import copied

# With isolation switched on: a replay is the user's own command, and what that leaves
# in a project without isolation is what the tests themselves leave there.
REDIS = """
from ci_cache_isolation.settings import isolate

CACHES = isolate({{
    "default": {{
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": {location!r},
    }}
}})
"""
OPTIONS = ("--runner", "django", "--split", "0", "--seed", "0", "--cache", "shared")


def small_on_redis(folder, server):
    """Copy the small project, its caches on a server that is empty."""
    with server.client() as client:
        client.flushall()
    project = copied("small", folder)
    settings = project.folder / "small" / "settings.py"
    text = settings.read_text() + REDIS.format(location=server.location)
    settings.write_text(text)
    return project


def left(project, before):
    """Return the files that are not the report's, and the processes."""
    files = {path for path in files_of(project) - before if path.suffix != ".pyc"}
    report = project.folder / ".cache-isolation"
    return {each for each in files if report not in each.parents}, project.at_work()


def files_of(project):
    return {path for path in project.folder.rglob("*") if path.is_file()}


def variables(project):
    state = project.folder.parent / "state"
    return {"CI_CACHE_ISOLATION_JOURNALS": str(state)}


def keys_on(server):
    """Return all keys that are there."""
    with server.client() as client:
        return client.keys()


def orders_leave_nothing(project, server, count):
    """Run so many orders, of which some fail, and look for what is left."""
    before = files_of(project)
    labels = ("cases.test_leaking.CacheTests", "cases.test_clean")
    orders = ("--orders", str(count))
    done = project.stress(*OPTIONS, *orders, *labels, **variables(project))
    assert (done.code, done.err) == (1, "")
    assert len(project.report()["runs"]) == count + 3
    assert left(project, before) == (set(), [])
    assert keys_on(server) == []
