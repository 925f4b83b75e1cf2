"""`llma receive`: who may be let in where, and a server that stores what is sent."""

import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets_tests.cli.conftest import Llma
from llma_assets_tests.ingest.test_containers import requests


def test_other_machines_are_let_in_with_tokens_only(llma: Llma, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLMA_UI_HOSTS", "LLMA_WEB_TOKENS", "LLMA_WEB_TOKENS_FILE"):
        monkeypatch.delenv(name, raising=False)
    result = llma("receive", "--host", "0.0.0.0")
    assert (result.exit_code, "there are no tokens" in result.stderr) == (2, True)


@pytest.mark.slow
def test_what_is_sent_to_the_server_is_stored_for_the_team_of_the_option(
    environment: Settings, database: Database
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "llma_assets.cli.main", "receive", "--port", "0", "--team", "6"],
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert process.stderr is not None
        address = re.search(r"http://127\.0\.0\.1:\d+/v1/traces", process.stderr.readline())
        assert address is not None
        sent = urllib.request.Request(address[0], requests()[0], {"content-type": "application/x-protobuf"})
        with urllib.request.urlopen(sent, timeout=60) as answer:
            assert answer.status == 200
        assert database.rows("SELECT DISTINCT team_id FROM events") == [{"team_id": 6}]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) in (0, 130, -signal.SIGINT)
