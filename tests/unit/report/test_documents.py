"""The JSON Schema of reports: it is of the types, and reports conform to it."""

import json
from pathlib import Path

import jsonschema
import pytest

from ci_cache_isolation.report import documents
from tests.unit.report.test_markdown import STRESS
from tests.unit.report.test_merging import document

SHIPPED = Path(documents.__file__).with_name("report.schema.json")


def test_what_is_shipped_is_made_of_the_types():
    made = json.dumps(documents.json_schema(), indent=2) + "\n"
    # Before 0.23 msgspec left docstrings indented, as Python does before 3.13.
    made = made.replace("\\n    ", "\\n")
    assert SHIPPED.read_text() == made, (
        "Write it anew: python -c 'import json; "
        "from ci_cache_isolation.report.documents import json_schema; "
        f"print(json.dumps(json_schema(), indent=2))' > {SHIPPED.name}"
    )


def test_a_report_conforms_to_it():
    schema = json.loads(SHIPPED.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document(), schema)


@pytest.mark.parametrize(
    "fault",
    [
        {"command": "explain"},
        {"findings": [{"test": "a"}]},
        {"runs": [{**STRESS["runs"][0], "kind": "sideways"}]},
    ],
)
def test_what_is_none_does_not(fault):
    schema = json.loads(SHIPPED.read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document(), **fault}, schema)
