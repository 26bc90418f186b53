"""Every kind of store that a project may use, as environment of the project "kinds"."""

import json

SHARED = {
    "redis": "redis_server",
    "django-redis": "redis_server",
    "django-valkey": "valkey_server",
    "pymemcache": "memcached_server",
    "pylibmc": "memcached_server",
}
PRIVATE = ["private-redis", "private-django-valkey", "private-pymemcache"]
DATABASES = ["database-sqlite", "database-postgresql", "database-mariadb"]
_SERVERS = {
    "database-postgresql": "postgres_server",
    "database-mariadb": "mariadb_server",
}
STORES = ["files", *SHARED, *DATABASES, *PRIVATE]


def environment_of(name, request):
    """Start what a store needs; return what the project must be told.

    Whatever a killed run records stays in the test's own directory.
    """
    folder = request.getfixturevalue("tmp_path")
    environment = {
        "KINDS_STORE": name,
        "CI_CACHE_ISOLATION_JOURNALS": str(folder / "state"),
    }
    if name == "files":
        environment["KINDS_LOCATION"] = str(folder / "files")
    elif name in DATABASES:
        environment |= {"KINDS_STORE": "database", "KINDS_LOCATION": "cache_table"}
        if name in _SERVERS:
            server = request.getfixturevalue(_SERVERS[name])
            environment["KINDS_DATABASE"] = json.dumps(server.database)
    elif name != "locmem":
        server = request.getfixturevalue(SHARED[name.removeprefix("private-")])
        environment["KINDS_LOCATION"] = server.location
    return environment
