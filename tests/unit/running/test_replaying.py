"""Commands that show a failure, and what becomes of them on Ctrl-C."""

from types import SimpleNamespace

import pytest

from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.replaying import Replayer, Wanted


def test_an_interrupt_ends_what_is_run_to_find_a_command(tmp_path, monkeypatch):
    runner = SimpleNamespace(folder=tmp_path)
    replayer = Replayer(runner, (), tmp_path, Cache.SHARED)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(replayer, "_own", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replayer.commands([Wanted("app.test", ("app.test",))])
    assert replayer._processes.has_ended
