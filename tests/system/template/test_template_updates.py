"""Updates: what the template is now is what a project is made from."""

import os
import shutil
import sys

from jinja2 import Environment

from tests.generated.older import NEW_RULE, OLD_RULE, RULES, replace
from tests.generated.rows import TEMPLATE


def test_rules_are_read_again_even_where_python_can_not_see_that_they_changed(
    tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    shutil.copy(TEMPLATE / "cookiecutter.json", tmp_path)
    for rule in (NEW_RULE, OLD_RULE):
        shutil.copy(TEMPLATE / RULES, tmp_path)
        replace(tmp_path / RULES, NEW_RULE, rule)
        os.utime(tmp_path / RULES, (0, 0))
        environment = Environment(extensions=["local_extensions.Answers"])
        choices = environment.filters["refusal"].__globals__["CHOICES"]
        assert str(choices["minimum_python"][0]) == f"({rule})".replace('"', "'")
