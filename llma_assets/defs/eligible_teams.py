"""The asset `eligible_teams`: decides who takes part on a day, and makes new teams known to Dagster.

The rule itself belongs in `decisions.py`, which knows no database.
"""

from datetime import date

import dagster as dg

from llma_assets.clickhouse import columns_of
from llma_assets.defs.catalog import Catalog, column_schema
from llma_assets.defs.partitions import Partitions, teams
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.discovery import DECISION_VERSION, discover, record_unreadable, store_decisions


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
    """Who takes part on a day, and why each other team does not.

    A team that leaves keeps its partitions and its history: Dagster only ever learns of new teams here.
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
        rows = [
            f"| {decision.team_id} | {'in' if decision.eligible else 'out'} | {decision.reason} | "
            f"{decision.detail} | {decision.traces} | {decision.events} |"
            for decision in decisions
        ]
        context.add_asset_metadata(
            {
                "items": len(eligible),
                "status": "done" if eligible else "skipped",
                "teams_seen": len(decisions),
                "new_teams": len(new),
                "rows_written": written,
                "unreadable_events": unreadable,
                "lookback_days": settings.lookback_days,
                "dagster/row_count": len(decisions),
                "dagster/column_schema": schema,
                "decisions": dg.MetadataValue.md(
                    "\n".join(
                        [
                            "| team | | reason | detail | traces | events |",
                            "|---:|---|---|---|---:|---:|",
                            *rows,
                        ]
                    )
                ),
            },
            partition_key=key,
        )
