"""Probable causes: taken where their lines exist, have the words and support them; asked once, within the budget."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters import committed_run
from llma_assets.insights import CAUSES_STAGE, ClusterCauses, causes_of, forecast_causes, store_causes
from llma_assets.insights.causes.checks import checked_causes
from llma_assets.insights.causes.evidence import Evidence, chosen_lines, trace_lines
from llma_assets.insights.causes.schema import CauseItems
from llma_assets.ledger import Forecast
from llma_assets.models import OfflineChat, OpenAIChat
from llma_assets.stage import Report, silent
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer, Request, Status
from llma_assets.themes import TRACES, Theme
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days
from llma_assets_tests.labels.stored import IMPATIENT, data_of

ASKING = replace(TRACES, causes=True, causes_prompt="Which tool is it?")
DAY = TeamDay(MINE, LAST)


def cause(trace: str = "A", line: str = "L1", quote: str = "Title of aaaa", text: str = "The tool times out.") -> Any:
    cited = [{"trace": trace, "line": line, "quote": quote}]
    return {"cause": text, "evidence": cited, "confirm": "Look at the tool's log."}


def answering(*causes: Any, supported: bool = True) -> Any:
    """A model that says these causes of each cluster, and judges all of them alike."""

    def answer(request: Request) -> Any:
        data = data_of(request)
        if "claims" in data:
            return {"items": [{"number": each["number"], "supported": supported} for each in data["claims"]]}
        assert "Which tool is it?" in request.body["messages"][0]["content"]
        words = data["traces"][0]["lines"]["L1"]
        return {"causes": [each or cause(quote=words) for each in causes]}

    return answer


def asked(database: Database, server: ChatServer, theme: Theme = ASKING, day: TeamDay = DAY, **given: Any) -> Report:
    model = OpenAIChat("gpt-4o-mini", api_key="k", base_url=server.url, policy=IMPATIENT)
    return store_causes(database, day, lambda _: model, themes=(theme,), progress=silent, **given)


def stored(database: Database, day: TeamDay = DAY) -> list[ClusterCauses]:
    run = committed_run(database, day, "traces")
    assert run is not None
    return list(causes_of(database, run).values())


@pytest.fixture
def two(database: Database) -> Database:
    """Two clusters of two days, and one of another team."""
    plant_days(database, {"aaaa": [6, 6], "bbbb": [5, 5]})
    plant_days(database, {"cccc": [6, 6]}, team_id=OTHER)
    return database


def test_causes_are_stored_with_their_lines_and_asked_once(two: Database) -> None:
    with ChatServer(answering(None)) as server:
        first = asked(two, server)
        calls = len(server.calls())
        again = asked(two, server)
        assert len(server.calls()) == calls == 4, "a question and its judgement for each of two clusters"
    assert (first.items, again.items, first.details["traces_found"]) == (2, 2, 2)
    found = stored(two)
    assert [each.status for each in found] == ["found", "found"]
    (only,) = found[0].causes
    assert (only.cause, only.judged, only.references[0].line) == ("The tool times out.", True, 1)
    assert only.references[0].trace_id.startswith("aaaa-2026-11-22-")
    assert stored(two, TeamDay(OTHER, LAST)) == []
    rows = two.rows("SELECT DISTINCT team_id, stage FROM model_usage")
    assert [(row["team_id"], row["stage"]) for row in rows] == [(MINE, CAUSES_STAGE)]


def test_what_was_found_of_a_lineage_is_kept_for_a_week(two: Database) -> None:
    with ChatServer(answering(None)) as server:
        asked(two, server, day=TeamDay(MINE, LAST - timedelta(days=1)))
        calls = len(server.calls())
        report = asked(two, server)
        assert len(server.calls()) == calls
    assert report.details["traces_carried"] == 2
    assert stored(two)[0].causes[0].references[0].trace_id.startswith("aaaa-2026-11-21-")


def test_lines_that_are_not_there_and_claims_that_they_do_not_support_are_refused(two: Database) -> None:
    invented = (cause(line="L99"), cause(trace="Z"), cause(quote="words that stand nowhere"))
    with ChatServer(answering(*invented)) as server:
        asked(two, server)
        assert len(server.calls()) == 2, "there is nothing to judge"
    found = stored(two)[0]
    assert (found.status, found.causes) == ("none", ())
    assert ["which there is not" in each for each in found.refused] == [True, True, False]
    assert "does not have" in found.refused[2]


def test_a_claim_that_its_lines_do_not_support_is_refused(two: Database) -> None:
    with ChatServer(answering(None, supported=False)) as server:
        asked(two, server)
    assert stored(two)[0].refused == ("“The tool times out.”: the lines that it cites do not support it",)


def test_the_offline_model_is_not_asked_and_a_theme_must_want_it(two: Database) -> None:
    def offline(_name: str | None) -> Any:
        return OfflineChat()

    report = store_causes(two, DAY, offline, themes=(ASKING,), progress=silent)
    assert (report.status, report.reason) == ("skipped", "offline_model_not_asked")
    assert report.details["not_asked"] == "the offline model cannot know causes: traces"
    assert store_causes(two, DAY, offline, themes=(TRACES,), progress=silent).reason == "no_theme_asks_for_causes"


def test_causes_have_a_budget_of_their_own(two: Database) -> None:
    with ChatServer(answering(None)) as server:
        nothing = asked(two, server, replace(ASKING, causes_budget_usd=0.0))
        assert len(server.calls()) == 0
        assert (nothing.status, nothing.deferred) == ("budget", 2)
        enough = asked(two, server, replace(ASKING, causes_budget_usd=1.0), budget_usd=2.0)
    assert (enough.status, enough.items) == ("done", 2)


def test_a_silent_model_is_not_asked_for_ever_and_the_next_run_asks_again(two: Database) -> None:
    with ChatServer(always=Status(503)) as server:
        report = asked(two, server)
    assert report.details["traces_failed"] == 2
    with ChatServer(answering(None)) as server:
        assert asked(two, server).details["traces_found"] == 2


def test_of_a_long_trace_its_trouble_and_its_ends_are_read() -> None:
    text = "\n".join(f"L{number}: {'error: boom' if number == 500 else 'x' * 50}" for number in range(1, 1001))
    lines = chosen_lines(text, 2_000)
    assert {1, 499, 500, 501, 1000} <= lines.keys()
    assert sum(map(len, lines.values())) <= 2_000


def test_hostile_words_of_an_answer_are_one_visible_line() -> None:
    evidence = Evidence(0, "", "", 1, trace_lines([("t", "L1: the tool said 504")]))
    said = CauseItems.model_validate({"causes": [cause(quote="the tool said 504", text="One\u202e\n\ntwo")]})
    (found,), refused = checked_causes(said, evidence)
    assert (found.cause, refused) == ("One two", [])


def forecast(database: Database, theme: Theme = ASKING, *, is_new: bool = False) -> Forecast:
    return forecast_causes(database, DAY, theme, "gpt-4o-mini", clusters=3, is_new=is_new)


def test_the_forecast_counts_two_calls_for_each_cluster_without_an_answer(two: Database) -> None:
    before = forecast(two)
    assert (before.items, before.done, before.calls) == (2, 0, 4)
    assert before.cost_usd is not None
    assert 0 < before.cost_usd < 0.01
    assert "because there are no earlier calls" in before.basis
    with ChatServer(answering(None)) as server:
        asked(two, server, day=TeamDay(MINE, LAST - timedelta(days=1)))
        assert (forecast(two).items, forecast(two).done) == (0, 2), "both are known of the day before"
        asked(two, server)
        assert len(server.calls()) == before.calls
    after = forecast(two)
    assert (after.items, after.done, after.calls, after.cost_usd) == (0, 2, 0, 0.0)
    coming = forecast(two, replace(ASKING, causes_budget_usd=0.5), is_new=True)
    assert (coming.items, coming.calls) == (3, 6)
    assert "tokens as in the last 4 calls" in coming.basis
    assert coming.basis.endswith("of 0.5 USD of causes_budget_usd are left")
    assert coming.batch_cost_usd == coming.cost_usd, "causes have no batches"
    another = forecast_causes(two, DAY, ASKING, "offline/x", clusters=3, is_new=False)
    assert (another.items, another.calls, another.basis) == (0, 0, "the offline model is not asked")


@pytest.mark.parametrize("clusters", [0, 1, 2])
def test_the_forecast_counts_the_clusters_for_which_the_budget_of_causes_is_enough(
    two: Database, clusters: int
) -> None:
    with ChatServer(answering(None)) as server:
        asked(two, server, day=TeamDay(MINE, LAST - timedelta(days=1)))
    anew = replace(ASKING, causes_prompt="Which tool is it? Say its name.")
    whole = forecast(two, anew)
    assert whole.items == 2
    assert whole.cost_usd is not None
    one_usd = whole.cost_usd / 2
    too_little_usd, enough_usd = 0.0, 0.01
    while enough_usd - too_little_usd > one_usd / 10:
        middle = (too_little_usd + enough_usd) / 2
        is_enough = forecast(two, replace(anew, causes_budget_usd=middle)).items > 0
        too_little_usd, enough_usd = (too_little_usd, middle) if is_enough else (middle, enough_usd)
    theme = replace(anew, causes_budget_usd=(0.0, enough_usd + one_usd / 2, 0.1)[clusters])
    coming = forecast(two, theme)
    assert coming.items == clusters
    assert ("which is enough for" in coming.basis) is (clusters < 2)
    with ChatServer(answering(None)) as server:
        assert asked(two, server, theme).details["traces_asked"] == clusters
    left = forecast(two, theme)
    assert left.done == clusters
    assert forecast_causes(two, TeamDay(OTHER, LAST), theme, "gpt-4o-mini", clusters=1, is_new=False).done == 0
