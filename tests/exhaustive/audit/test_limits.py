"""``cache-isolation audit`` with time for some of its findings."""

from tests.audits import audited
from tests.system.audit.test_limits import LABEL, write


def test_with_little_time_some_leaks_are_proved(corpus):
    write(corpus, leaks=True)
    audit = audited(corpus, "--minutes", "0.15", *LABEL)
    assert 0 < len(audit.report["findings"]) < 8
    for finding in audit.report["findings"]:
        assert finding["proof"] == {"alone": "0/5", "after": "5/5", "isolated": "0/5"}
    assert not audit.report["complete"]
    results = [each["result"] for each in audit.report["conflicts"]]
    assert results.count("carried") == len(audit.report["findings"])
    assert set(results) <= {"carried", "untested"}
