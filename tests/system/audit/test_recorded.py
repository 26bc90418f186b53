"""What an audited run records: where, and no key where keys are secret."""

import re

from tests.audits import SECRET_KEYS, assert_keys_are_hashed, audit, runners


def test_keys_are_hashed_where_the_environment_asks_for_it(corpus):
    assert_keys_are_hashed(corpus, "--no-confirm", CI_CACHE_ISOLATION_HASH_KEYS="on")


def test_any_command_hashes_keys_the_same_in_all_its_workers(corpus, tmp_path):
    (corpus.folder / "shop" / "test_secret.py").write_text(SECRET_KEYS)
    found = {}
    for workers in (2, 1):
        notes = tmp_path / f"notes-{workers}"
        several = ("-n2", "--dist", "loadscope") if workers == 2 else ()
        done = corpus.python(
            *("-m", "pytest", "-q", "-W", "always", *several, "shop/test_secret.py"),
            CI_CACHE_ISOLATION_AUDIT=str(notes),
            CI_CACHE_ISOLATION_HASH_KEYS="on",
        )
        assert done.code == 0, done.out
        texts = [path.read_text() for path in notes.iterdir()]
        assert len(texts) == workers
        assert "sesame" not in "".join(texts)
        found[workers] = [set(re.findall("key#[0-9a-f]{12}", text)) for text in texts]
    left, looked = found[2]
    assert left & looked
    assert found[1][0]
    assert not found[1][0] & (left | looked)


@runners
def test_the_environment_alone_has_any_command_write_down_what_it_does(
    corpus, runner, tmp_path
):
    command = {
        "django": ("manage.py", "test", "shop.test_bulk"),
        "pytest": ("-m", "pytest", "-q", "shop/test_bulk.py"),
    }[runner]
    done = corpus.python(*command, CI_CACHE_ISOLATION_AUDIT=str(tmp_path / "notes"))
    assert done.code == 0, done.err
    [file] = (tmp_path / "notes").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "notes").stat().st_mode & 0o777 == 0o700
    assert "shop" in file.read_text()


def test_an_audit_without_isolation_says_that_it_writes_nothing(corpus, tmp_path):
    done = corpus.python(
        *("-W", "always", "manage.py", "test", "shop.test_bulk"),
        CI_CACHE_ISOLATION="off",
        CI_CACHE_ISOLATION_AUDIT=str(tmp_path / "notes"),
    )
    assert "isolation is off (environment CI_CACHE_ISOLATION)" in done.err
    assert not (tmp_path / "notes").exists()


AWKWARD = """\
from django.core.cache import cache
from django.test import SimpleTestCase


class Awkward:
    def __str__(self):
        if self.is_done:
            raise RuntimeError("not twice")
        return "awkward"

    is_done = False


class AwkwardTests(SimpleTestCase):
    def test_key(self):
        key = Awkward()
        cache.set(key, 1)
        key.is_done = True
        with self.assertRaisesMessage(RuntimeError, "not twice"):
            cache.get(key)

    def test_timeout(self):
        with self.assertRaises(TypeError):
            cache.set("key", 1, timeout="soon")
"""


def test_what_the_audit_can_not_write_down_fails_no_test(corpus):
    (corpus.folder / "shop" / "test_awkward.py").write_text(AWKWARD)
    done = audit(corpus, "--runner", "django", "shop.test_awkward")
    log = (corpus.folder / ".cache-isolation" / "audit" / "suite.log").read_text()
    assert done.code == 0, done.out + done.err
    assert "OK" in log
    assert "The audit of this process has stopped: RuntimeError: not twice" in log
