"""The asset `eligible_teams`: decides which teams take part on a day, and registers new teams in Dagster.

The rule belongs in `llma_assets.discovery`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import dagster as dg

from llma_assets.clickhouse import columns_of
from llma_assets.defs.catalog import Catalog, column_schema
from llma_assets.defs.partitions import Partitions, teams
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.discovery import DECISION_VERSION, TeamDecision, discover, record_unreadable, store_decisions
from llma_assets.markdown import escaped


def eligible_teams_of(partitions: Partitions, catalog: Catalog) -> dg.AssetsDefinition:
    """The asset, daily from the oldest day on."""
    return dg.asset(
        name="eligible_teams",
        partitions_def=partitions.daily,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=31),
        deps=["events"],
        group_name="discovery",
        kinds={"clickhouse"},
        pool="clickhouse",
        owners=list(catalog.owners),
        code_version=DECISION_VERSION,
        metadata={"dagster/table_name": catalog.table("eligible_teams")},
    )(eligible_teams)


def eligible_teams(
    context: dg.AssetExecutionContext, clickhouse: ClickHouseResource, team_settings: TeamSettingsResource
) -> None:
    """Which teams take part on a day, and why each other team does not.

    Teams are only added: a team that no longer takes part keeps its partitions and history.
    """
    database = clickhouse.database().tagged(run=context.run.run_id, asset="eligible_teams")
    settings = team_settings.settings()
    schema = column_schema(columns_of(database, "eligible_teams"))
    for key in context.partition_keys:
        decisions = discover(database, settings, date.fromisoformat(key))
        written = store_decisions(database, date.fromisoformat(key), decisions)
        unreadable = record_unreadable(database, decisions, settings, date.fromisoformat(key))
        eligible = [decision.team_id for decision in decisions if decision.eligible]
        known = set(context.instance.get_dynamic_partitions(str(teams.name)))
        new = [str(team_id) for team_id in eligible if str(team_id) not in known]
        context.instance.add_dynamic_partitions(str(teams.name), new)
        context.add_asset_metadata(
            {
                "about": dg.MetadataValue.md(_in_words(decisions, len(new))),
                "items": len(eligible),
                "status": "done" if eligible else "skipped",
                "decisions": dg.MetadataValue.md(decisions_table(decisions)),
                "details": dg.MetadataValue.json(
                    {
                        "teams_seen": len(decisions),
                        "new_teams": len(new),
                        "rows_written": written,
                        "unreadable_events": unreadable,
                        "lookback_days": settings.lookback_days,
                    }
                ),
                "dagster/row_count": len(decisions),
                "dagster/column_schema": schema,
                # Old names; to be removed in the next version.
                "teams_seen": len(decisions),
                "new_teams": len(new),
                "unreadable_events": unreadable,
            },
            partition_key=key,
        )


def decisions_table(decisions: Sequence[TeamDecision]) -> str:
    """The decision about each team as a Markdown table, eligible teams first."""
    rows = [
        f"| {decision.team_id} | {'in' if decision.eligible else 'out'} | {escaped(decision.reason)} | "
        f"{escaped(decision.detail)} | {decision.traces:,} | {decision.events:,} |"
        for decision in sorted(decisions, key=lambda each: (not each.eligible, each.team_id))
    ]
    return "\n".join(["| team | | reason | detail | traces | events |", "|---:|---|---|---|---:|---:|", *rows])


def _in_words(decisions: Sequence[TeamDecision], new: int) -> str:
    """Such as "**3 of 5 teams take part**, 1 of them new. The others: 2 no recent events."."""
    eligible = sum(decision.eligible for decision in decisions)
    why = Counter(decision.reason.replace("_", " ") for decision in decisions if not decision.eligible)
    others = ", ".join(f"{number:,} {escaped(reason)}" for reason, number in why.most_common())
    sentence = f"**{eligible:,} of {len(decisions):,} teams take part**" + (f", {new:,} of them new." if new else ".")
    return sentence + (f" The others: {others}." if others else "")
