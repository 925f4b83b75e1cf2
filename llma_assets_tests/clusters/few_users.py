"""A cluster of one user that was shown, named by a person and told of, and is then withheld. No tests here."""

from datetime import UTC, datetime, timedelta

from llma_assets.alerts import Channel, Document, Rule, alerts_of, apply, evaluate
from llma_assets.clickhouse import Database
from llma_assets.clusters import Edit, PrivacyMinimum, RunOptions, Withheld, committed_run, store_edit
from llma_assets.clusters.partition import store_clusters
from llma_assets.clusters.store.clusters import clusters_of as stored_clusters
from llma_assets.stage import silent
from llma_assets.themes import SHIPPED, TRACES
from llma_assets_tests.clusters.test_disclosure import COUNTS, DAY, ONE_USERS, TEAM_DAY, plant_users, published
from llma_assets_tests.labels.stored import MODEL, plant

NEXT = DAY + timedelta(days=1)
MORNING = datetime(NEXT.year, NEXT.month, NEXT.day, 6, tzinfo=UTC)
OTHER_THEME = SHIPPED["error_analysis"]
TOLD = Rule("much", "threshold", measure="share", above=0.1, enabled=True, themes=("traces",), channels=("ops",))
OPS = Channel("ops", "webhook", address_env="LLMA_ALERTS_URL", secret_env="LLMA_ALERTS_SECRET")


def shown(database: Database) -> None:
    """Without a minimum: clusters of two themes, named by a model and by a person, and an alert about each."""
    plant_users(database)
    plant(database, 1, DAY, COUNTS, theme=OTHER_THEME)
    plant(database, 1, NEXT, {ONE_USERS: 2, "refund": 1})
    published(database, PrivacyMinimum())
    _cluster_other_theme(database, PrivacyMinimum())
    store_edit(
        database, 1, Edit("traces", lineage_of_one_user(database), "rename", "Toaster trouble", "", "ada", MORNING)
    )
    apply(database, 1, Document((OPS,), (TOLD,)), "ada", prune=True)
    told(database)


def withheld(database: Database, below: Withheld) -> None:
    """The same, and then the team asks for five users."""
    shown(database)
    published(database, PrivacyMinimum(5, below))
    _cluster_other_theme(database, PrivacyMinimum(5, below))


def told(database: Database) -> str:
    """What the rules decide and tell of the day, as text; messages wait in the outbox."""
    return str(evaluate(database, TEAM_DAY, alerts_of(database, 1), now=MORNING))


def lineage_of_one_user(database: Database) -> str:
    """The id of the lineage whose items one user sent."""
    run = committed_run(database, TEAM_DAY, TRACES.theme_id)
    assert run is not None
    (found,) = (row["lineage_id"] for row in stored_clusters(database, run) if row["size"] == COUNTS[ONE_USERS])
    return str(found)


def _cluster_other_theme(database: Database, privacy: PrivacyMinimum) -> None:
    store_clusters(
        database,
        TEAM_DAY,
        model_name=MODEL,
        lookback_days=7,
        options=RunOptions(method="kmeans", min_k=3, max_k=3, min_items=5),
        themes=(OTHER_THEME,),
        progress=silent,
        privacy=privacy,
    )
