"""Small errors put into the package, one at a time: which tests notice them.

``nox -s mutants`` tries 120 of them, ``nox -s mutants -- --help`` lists the options.
"""
