"""What is said of a named setting that is wrong."""

import pytest

from llma_assets.alerts import InvalidRulesError
from llma_assets.alerts import read_document as read_alerts
from llma_assets.trackers import InvalidTrackersError
from llma_assets.trackers import read_document as read_trackers

SECRET = "https://hooks.example.com/" + "s3cret" * 20


@pytest.mark.parametrize("value", [SECRET, f"[{SECRET}]"], ids=["too long", "no text"])
def test_a_secret_in_place_of_a_variable_is_not_repeated(value: str) -> None:
    with pytest.raises(InvalidRulesError) as alerts:
        read_alerts(f"channels:\n  - {{channel: ops, kind: slack_webhook, address_env: {value}}}")
    with pytest.raises(InvalidTrackersError) as trackers:
        read_trackers(f"trackers:\n  - {{tracker: bugs, kind: github, project: acme/app, token_env: {value}}}")
    assert "channels[0].address_env" in str(alerts.value)
    assert "trackers[0].token_env" in str(trackers.value)
    assert "s3cret" not in str(alerts.value) + str(trackers.value)
