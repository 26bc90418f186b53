"""Say what was added, what was left alone, and what is to be done by hand."""

places = {{ cookiecutter._places | tojson }}
there = {{ cookiecutter._there | tojson }}
runner = {{ cookiecutter.runner | tojson }}
settings = {{ cookiecutter.settings | tojson }}
install = {{ cookiecutter.install | tojson }}
package = {{ cookiecutter._package | tojson }}

nox = f"nox -f {places['nox']} -s"
options = f"--runner {runner}"
if runner == "django":
    options += f" -- --settings={package}settings_cache_isolation"
by_hand = {
    "nox": ["sessions that install ci-cache-isolation[stress] and what the tests need,",
            "and run, where tests are run,",
            f"    cache-isolation audit {options}",
            f"    cache-isolation stress {options}"],
    "workflow": ["steps that run",
                 '    python -m pip install "nox[uv]"',
                 f"    python -m {nox} audit stress"],
    "settings": ["below CACHES:",
                 "    from ci_cache_isolation.settings import isolate",
                 "    CACHES = isolate(CACHES)",
                 "and, if runner_cache_isolation.py is this template's:",
                 f'    TEST_RUNNER = "{package}runner_cache_isolation.ProjectRunner"'],
    "runner": ["a class ProjectRunner, whose bases are IsolationMixin from",
               "ci_cache_isolation.runner and then the runner of the settings"],
}

added = [place for what, place in places.items() if what not in there]
print("Added:" if added else "Nothing was added, since all files are there already.")
for place in added:
    print(f"    {place}")
if there:
    print("\nThere already and left alone. Where it is not this template's, add by hand:")
for what in there:
    print(f"    {places[what]}")
    for line in by_hand[what]:
        print(f"        {line}")
print(f"\nnox installs for the tests: {install or 'nothing of the project'}")
print(f"    If that is not all, say what is missing in INSTALL, {places['nox']}.")
print(f"""
Next:
    python -m pip install "nox[uv]"
    {nox} tests
    {nox} audit
    {nox} stress

Add .nox/ to .gitignore, if it is not there. Look into the workflow: Python's version,
and services that the tests need, are yours to set.""")
if runner == "django":
    print(f"""
These sessions isolate caches. For manage.py test to do so as well, add by hand to the
settings of your tests ({settings} or others), below CACHES:
    from ci_cache_isolation.settings import isolate
    CACHES = isolate(CACHES)""")
else:
    print("\nWhere ci-cache-isolation is installed pytest isolates caches by itself.")
