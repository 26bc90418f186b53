"""What GitHub Actions is told of a report."""

import re

import pytest

from ci_cache_isolation.report.github import LIMIT, publish, workflow_commands
from ci_cache_isolation.report.markdown import summary
from tests.unit.report.test_markdown import (
    CHANCE,
    HOSTILE,
    STRESS,
    VICTIM,
    with_findings,
    with_state,
)

KEPT = {
    "kind": "state",
    "name": "shop.Card.limit",
    "how": "changed",
    "was": "int",
    "became": "int",
    "written_at": "shop/tests.py:7",
    "read_at": None,
    "put_back": "0/5",
    "cure": ["shop.Card.limit"],
}
BROKEN = CHANCE | {"test": "shop.tests.E.test_broken", "verdict": "broken"}


def commands(*findings, folder="/work/repo/site", workspace="/work/repo"):
    return workflow_commands(with_findings(*findings), folder, workspace)


def test_the_lines_that_leak_get_an_error_each():
    writes, reads = commands(VICTIM)
    assert writes == (
        "::error file=site/shop/offers.py,line=13,"
        "title=victim%3A shop.tests.B.test_reads::This line writes 'offer:honey' in "
        "cache 'default'. shop.tests.B.test_reads: victim, passes alone and fails "
        "after others (shop.tests.A.test_writes). See it fail: python manage.py test "
        "shop.tests.A.test_writes shop.tests.B.test_reads"
    )
    assert reads.startswith(
        "::error file=site/shop/offers.py,line=21,title=victim%3A "
        "shop.tests.B.test_reads::This line reads 'offer:honey' in cache 'default'."
    )


def test_state_has_the_line_that_changed_it_and_the_test_beside():
    left = VICTIM | {"state": KEPT}
    changes, carries = commands(left)
    assert changes.startswith("::error file=site/shop/tests.py,line=7,title=victim")
    assert "This line changes shop.Card.limit. shop.tests.B.test_reads" in changes
    assert "shop.Card.limit carries it." in carries


def test_a_test_that_has_no_file_here_has_none_and_chance_is_a_warning():
    broken, chance = commands(CHANCE, BROKEN)
    assert broken.startswith("::error title=broken%3A shop.tests.E.test_broken::shop.")
    assert chance.startswith("::warning title=non-deterministic%3A shop.tests.D.")


@pytest.mark.parametrize(
    "at",
    [
        *("", "nowhere", "/usr/lib/python3/shop.py:3", "../../shop.py:3"),
        *("shop.py:x", "shop.py:0", "shop.py:٣", ":3", None),
    ],
)
def test_a_place_outside_the_repository_is_none(at):
    [line] = commands(with_state(VICTIM, written_at=at, read_at=at))
    assert line.startswith("::error title=victim")
    assert "This line" not in line
    assert "'offer:honey' in cache 'default' carries it." in line


@pytest.mark.parametrize(
    ("test", "file"),
    [
        ("shop.tests.E.test_broken", "site/shop/tests.py"),
        ("shop.tests.E.test_broken (n='a.b')", "site/shop/tests.py"),
        ("shop/tests.py::test_broken[a::b.c]", "site/shop/tests.py"),
        ("../lib/tests.py::test_other", "lib/tests.py"),
        ("shop.gone.E.test_broken", ""),
        ("../../outside.py::test_other", ""),
        (f"{'a' * 5000}.py::test_\0", ""),
        ("\0.E.test_broken", ""),
        ("unittest.loader._FailedTest.shop", ""),
    ],
)
def test_without_a_line_it_is_the_test_s_own_file(test, file, tmp_path):
    for name in ("repo/site/shop/tests.py", "repo/lib/tests.py", "outside.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    repo = tmp_path / "repo"
    of_folder = {"folder": str(repo / "site"), "workspace": str(repo)}
    [line] = commands(BROKEN | {"test": test}, **of_folder)
    assert line.startswith(f"::error file={file},title=" if file else "::error title=")


def test_tests_without_a_line_in_one_file_get_a_remark_each(tmp_path):
    (tmp_path / "tests.py").touch()
    findings = [BROKEN | {"test": f"tests.E.test_{number}"} for number in range(3)]
    of_folder = {"folder": str(tmp_path), "workspace": str(tmp_path)}
    assert len(commands(*findings, **of_folder)) == 3


def test_an_absolute_place_in_the_repository_is_found():
    line, _ = commands(with_state(VICTIM, written_at="/work/repo/lib/shop.py:3"))
    assert line.startswith("::error file=lib/shop.py,line=3,")


def test_ten_of_a_kind_the_surest_first_and_those_that_write_before_those_that_read():
    victims = [
        with_state(
            VICTIM | {"test": f"v{number}"},
            written_at=f"w.py:{number + 1}",
            read_at=f"r.py:{number + 1}",
        )
        for number in range(8)
    ]
    chances = [CHANCE | {"test": f"c{number}"} for number in range(12)]
    broken = [BROKEN | {"test": f"b{number}"} for number in range(12)]
    lines = commands(*chances, *broken, *victims)
    assert [each.split()[0] for each in lines] == ["::error"] * 10 + ["::warning"] * 10
    assert [re.findall(r"file=site/(\w)", each) for each in lines[:8]] == [["w"]] * 8


def test_tests_that_meet_at_one_line_get_one_remark_there():
    others = [VICTIM | {"test": f"v{number}"} for number in range(20)]
    assert len(commands(*others)) == 2


def test_hostile_names_end_no_property_and_no_line():
    name = f"a,file=/etc/passwd:1::b%0A\r\n::error::{HOSTILE}"
    finding = with_state(VICTIM, key=name, written_at=f"{name}:7")
    lines = commands(finding | {"test": name, "after": [[name]], "replay": name})
    for line in lines:
        assert line.isprintable()
        properties = re.fullmatch(r"::error (\S[^:]*)::.*", line)[1]
        assert len(properties.split(",")) in {1, 3}
        assert re.search(r"%(?!25|3A|2C)", line) is None
        assert len(line) < 2000


@pytest.fixture
def github(tmp_path, monkeypatch):
    """A step of a job, in the repository's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    step = tmp_path / "step.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    return step


def told(document):
    lines = []
    publish(document, lines.append)
    return lines


def test_a_report_has_its_summary_and_so_has_the_step(github):
    github.write_text("From another command.\n")
    lines = told(STRESS)
    assert github.read_text() == f"From another command.\n{summary(STRESS)}"
    assert [each.split("title")[0] for each in lines] == [
        "::error file=shop/offers.py,line=13,",
        "::error file=shop/offers.py,line=21,",
        "::warning ",
    ]


def test_a_shard_leaves_it_to_merge(github):
    assert told(STRESS | {"shard": "1/2"}) == []
    assert not github.exists()
    assert told(STRESS | {"shard": "1/2", "merged": 1}) != []
    assert github.exists()


def test_elsewhere_nothing_is_told(tmp_path, monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    assert told(STRESS) == []
    assert list(tmp_path.iterdir()) == []


def test_a_step_gets_no_more_than_it_shows(github):
    many = [with_state(VICTIM, written_at=f"a.py:{line}") for line in range(2500)]
    github.write_text("x" * 100_000)
    told(with_findings(*many))
    assert github.stat().st_size <= LIMIT
    assert github.read_text().endswith("all of it is in the report.")


def test_a_summary_that_cannot_be_written_fails_nothing(github, capsys):
    github.mkdir()
    assert told(STRESS) != []
    assert "step.md can't be written: Is a directory." in capsys.readouterr().err
