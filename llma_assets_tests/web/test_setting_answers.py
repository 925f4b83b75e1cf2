"""The files of alerts and trackers by the API: read, tried, stored on a condition, with history; of the team alone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from llma_assets.alerts import SETTINGS as ALERTS
from llma_assets.alerts import read_document as read_alerts
from llma_assets.clickhouse import Database
from llma_assets.named_settings import NamedSettings
from llma_assets.trackers import SETTINGS as TRACKERS
from llma_assets.trackers import read_document as read_trackers
from llma_assets_tests.web.conftest import CHANGER, READER, STRANGER, bearer

READS, CHANGES, FOREIGN = bearer(READER), bearer(CHANGER), bearer(STRANGER)
UNKNOWN = bearer("nobody-has-this")


@dataclass(frozen=True)
class Kind:
    """A file of settings: what is sent first, the same with another value, and one that is wrong in a field."""

    path: str
    settings: NamedSettings
    read: Any
    part: str
    first: str
    other: str
    wrong: str

    @property
    def url(self) -> str:
        return f"/api/v1/teams/1/{self.path}/file"


KINDS = [
    Kind(
        "alerts",
        ALERTS,
        read_alerts,
        "channels",
        "channels:\n  - {channel: ops, kind: slack_webhook, address_env: LLMA_ALERTS_OPS}\n",
        "channels:\n  - {channel: ops, kind: slack_webhook, address_env: LLMA_ALERTS_OTHER}\n",
        "rules:\n  - {rule: mine, kind: threshold}\n",
    ),
    Kind(
        "trackers",
        TRACKERS,
        read_trackers,
        "trackers",
        "trackers:\n  - {tracker: bugs, kind: github, project: acme/app, token_env: LLMA_TRACKERS_TOKEN}\n",
        "trackers:\n  - {tracker: bugs, kind: github, project: acme/other, token_env: LLMA_TRACKERS_TOKEN}\n",
        "trackers:\n  - {tracker: bugs, kind: github, project: ENG, token_env: LLMA_TRACKERS_TOKEN}\n",
    ),
]


@pytest.fixture(params=KINDS, ids=lambda each: each.path)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def stored(database: Database, kind: Kind, team_id: int = 1) -> list[Any]:
    """What a team has stored of the part that the test's file lists."""
    return list(kind.settings.of_team(database, team_id).parts[kind.part].values())


def test_a_file_is_tried_stored_and_read_with_its_history(guarded: TestClient, planted: Database, kind: Kind) -> None:
    kind.settings.apply(planted, 2, kind.read(kind.other), "otto")
    tried = guarded.post(kind.url, json={"yaml": kind.first, "dry_run": True}, headers=CHANGES).json()
    assert (tried["team"], tried["dry_run"], tried["stored"], len(tried["changes"])) == (1, True, False, 1)
    assert stored(planted, kind) == []
    made = guarded.post(kind.url, json={"yaml": kind.first}, headers=CHANGES).json()
    assert (made["stored"], made["changes"][0]["action"], made["changes"][0]["author"]) == (True, "created", "Chris")
    again = guarded.post(kind.url, json={"yaml": kind.first}, headers=CHANGES).json()
    assert (again["stored"], again["changes"]) == (False, [])
    read = guarded.get(kind.url, headers=READS).json()
    assert read["team"] == 1
    assert read[kind.part] == list(kind.settings.values(kind.read(kind.first))[kind.part])
    guarded.post(kind.url, json={"yaml": "rules: []\n", "prune": True}, headers=CHANGES)
    assert stored(planted, kind) == []
    history = guarded.get(kind.url.replace("/file", "/history"), headers=READS, params={"limit": 1})
    assert (history.headers["x-total-count"], history.json()["changes"][0]["author"]) == ("2", "Chris")
    none = guarded.get(kind.url.replace("/file", "/history"), headers=READS, params={"name": "else"}).json()
    assert none == {"team": 1, "changes": []}
    assert stored(planted, kind, 2) == list(getattr(kind.read(kind.other), kind.part))
    assert len(kind.settings.past_changes(planted, 2)) == 1


def test_what_was_changed_since_is_a_conflict_with_both_versions(
    guarded: TestClient, planted: Database, kind: Kind
) -> None:
    def send(yaml: str, tag: str, *, dry_run: bool = False) -> Any:
        return guarded.post(kind.url, json={"yaml": yaml, "dry_run": dry_run}, headers={**CHANGES, "if-match": tag})

    empty = guarded.get(kind.url, headers=READS).headers["etag"]
    kind.settings.apply(planted, 2, kind.read(kind.other), "otto")
    assert guarded.get(kind.url, headers=READS).headers["etag"] == empty, "another team's change is none"
    assert send(kind.first, empty).status_code == 200
    for dry_run in (True, False):
        late = send(kind.other, empty, dry_run=dry_run)
        assert late.status_code == 409
        told = late.json()
        versions = {"stored": kind.first, "sent": kind.other}
        values = {name: list(kind.settings.values(kind.read(text))[kind.part]) for name, text in versions.items()}
        assert {name: told[name][kind.part] for name in ("stored", "sent")} == values
        assert told["changed_by"] == "Chris"
        assert datetime.fromisoformat(told["changed_at"]).tzinfo == UTC
    assert stored(planted, kind) == list(getattr(kind.read(kind.first), kind.part))
    assert send(kind.other, told["etag"]).json()["stored"]
    assert send(kind.first, "*").json()["stored"]
    assert send(kind.other, f"{empty}, {guarded.get(kind.url, headers=READS).headers['etag']}").json()["stored"]
    assert stored(planted, kind) == list(getattr(kind.read(kind.other), kind.part))


def test_of_two_with_the_same_tag_at_the_same_instant_the_second_gets_a_conflict(
    guarded: TestClient, planted: Database, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other's change comes between comparing the tag and storing."""
    tag = guarded.get(kind.url, headers=READS).headers["etag"]
    real = NamedSettings.apply

    def overtaken(self: NamedSettings, *args: Any, **kwargs: Any) -> Any:
        real(self, planted, 1, kind.read(kind.first), "bob")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(NamedSettings, "apply", overtaken)
    late = guarded.post(kind.url, json={"yaml": kind.other}, headers={**CHANGES, "if-match": tag})
    assert (late.status_code, late.json()["changed_by"]) == (409, "bob")
    assert stored(planted, kind) == list(getattr(kind.read(kind.first), kind.part))


def test_what_is_wrong_with_a_file_is_named_by_its_field(guarded: TestClient, planted: Database, kind: Kind) -> None:
    for text in (kind.wrong, "rulez: []\n", "[\n"):
        wrong = guarded.post(kind.url, json={"yaml": text}, headers=CHANGES)
        assert wrong.status_code == 422
        assert wrong.json()["problems"][0]["message"] in wrong.json()["detail"]
    apart = "rules:\n  - {rule: mine, tracker: bgus, kind: threshold, above: 1, channels: [bgus]}\n"
    fields = "tracker: bgus" if kind.path == "trackers" else "kind: threshold, above: 1, channels: [bgus]"
    apart = f"rules:\n  - {{rule: mine, {fields}}}\n"
    told = guarded.post(kind.url, json={"yaml": apart}, headers=CHANGES)
    assert (told.status_code, told.json()["field"].split(".")[0]) == (422, "rule mine")
    assert kind.settings.of_team(planted, 1).newest is None


def test_who_may_not_changes_and_reads_nothing(guarded: TestClient, planted: Database, kind: Kind) -> None:
    history = kind.url.replace("/file", "/history")
    for url in (kind.url, history):
        assert [guarded.get(url, headers=each).status_code for each in (READS, CHANGES)] == [200, 200]
        assert [guarded.get(url, headers=each).status_code for each in ({}, UNKNOWN, FOREIGN)] == [401, 401, 404]
    sent = {"json": {"yaml": kind.first}}
    tried = [guarded.post(kind.url, headers=each, **sent).status_code for each in ({}, UNKNOWN, READS, FOREIGN)]  # type: ignore[arg-type]
    assert tried == [401, 401, 403, 404]
    assert kind.settings.of_team(planted, 1).newest is None
