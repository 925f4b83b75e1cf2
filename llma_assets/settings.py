"""Settings of one installation, read once from the environment. Settings of a team belong in `teams`.

Every setting has a default that works on a fresh machine with no key and no server.
"""

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

DEFAULT_CHAT_MODEL = "gpt-6-luna"
DEFAULT_EMBEDDING_MODEL = "text-embedding-3-large"
"""The default models if there is a key or a server."""

DEFAULT_WEB_URL = "http://127.0.0.1:8321"
"""Where `llma web` serves the pages unless it is told otherwise."""

LEAST_PARTITION_DAYS = 45
"""The least rolling window: late events of 31 days, and the window of a clustering before them."""

DEFAULT_SHARDS = 16
DEFAULT_SHARD_EVENTS = 20_000

OWN_EVENTS = "events"
"""The pipeline's own table of events, for ingested and published events."""


class SettingsError(ValueError):
    """A setting is invalid; the message names the variable, what would be right, and the value."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where ClickHouse's tables lie.

    Attributes:
        name: of the cluster, "" for one server.
        sharded: whether teams are spread over its shards.
        storage_policy: of new tables, "" for the server's default.
        root: of the tables' paths in Keeper.
    """

    name: str = ""
    sharded: bool = False
    storage_policy: str = ""
    root: str = "/clickhouse/tables"


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The settings in the environment.

    Attributes:
        data_dir: holds the embedded database, rejects and reports.
        clickhouse_url: `http(s)://user:password@host:port/database`, or None for the embedded server.
        events_table: the table that trace events are read from, `table` or `database.table`.
        chat_model: model name for summaries and labels; `offline` needs no key.
        embedding_model: model name for embeddings; `offline` needs no key.
        openai_api_key: key of the OpenAI-compatible server; local servers accept any.
        openai_base_url: root of the OpenAI-compatible server, None for OpenAI itself.
        oldest_day: first day of the daily partitions, which may move on with each day.
        daily_budget_usd: what models may cost a day for each team that has no budget of its own, None for no limit.
        reasoning_effort: how much chat models think before they answer, None for `none` where they would think by
            themselves, "" for whatever the server does.
        owners: who answers for the assets: e-mail addresses, or `team:name`.
        web_url: address of the pages, to which Dagster's metadata link; None for no links.
        shards: into so many runs schedules and sensors divide the teams that are due.
        shard_events: a team with more trace events than this to work on has a run of its own.
        cluster: where ClickHouse's tables lie.
        retention_days: after how many days rows of a table go, where that differs from the migrations.
    """

    data_dir: Path
    clickhouse_url: str | None
    events_table: str
    chat_model: str
    embedding_model: str
    openai_api_key: str | None
    openai_base_url: str | None
    oldest_day: date
    daily_budget_usd: float | None = None
    reasoning_effort: str | None = None
    owners: tuple[str, ...] = ()
    web_url: str | None = DEFAULT_WEB_URL
    shards: int = DEFAULT_SHARDS
    shard_events: int = DEFAULT_SHARD_EVENTS
    cluster: Cluster = Cluster()
    retention_days: tuple[tuple[str, int], ...] = ()

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, *, today: date | None = None) -> "Settings":
        """Read the settings; an empty variable counts as unset.

        Args:
            today: the last day of the daily partitions; the present one, UTC, if None.

        Raises:
            SettingsError: a variable holds something unusable.
        """

        def get(name: str) -> str | None:
            return environ.get(name, "").strip() or None

        key, base_url = get("OPENAI_API_KEY"), get("OPENAI_BASE_URL")
        has_server = key is not None or base_url is not None
        oldest = get("LLMA_OLDEST_DAY") or "2026-01-01"
        try:
            oldest_day = date.fromisoformat(oldest)
        except ValueError:
            raise SettingsError(f"LLMA_OLDEST_DAY must be a date like 2026-01-01, not {oldest[:40]!r}") from None
        if days := _positive("LLMA_PARTITION_DAYS", get("LLMA_PARTITION_DAYS"), 0):
            if days < LEAST_PARTITION_DAYS:
                raise SettingsError(
                    f"LLMA_PARTITION_DAYS must be at least {LEAST_PARTITION_DAYS}, because sensors look back so far, "
                    f"not {days}"
                )
            oldest_day = max(oldest_day, (today or datetime.now(UTC).date()) - timedelta(days=days - 1))
        return cls(
            data_dir=Path(get("LLMA_DATA_DIR") or ".llma").absolute(),
            clickhouse_url=get("CLICKHOUSE_URL"),
            events_table=get("LLMA_EVENTS_TABLE") or OWN_EVENTS,
            chat_model=get("LLMA_CHAT_MODEL") or (DEFAULT_CHAT_MODEL if has_server else "offline"),
            embedding_model=get("LLMA_EMBEDDING_MODEL") or (DEFAULT_EMBEDDING_MODEL if has_server else "offline"),
            openai_api_key=key,
            openai_base_url=base_url,
            oldest_day=oldest_day,
            daily_budget_usd=_budget(get("LLMA_DAILY_BUDGET_USD")),
            reasoning_effort=_effort(get("LLMA_REASONING_EFFORT")),
            owners=_owners(get("LLMA_OWNERS")),
            web_url=_web_url(get("LLMA_WEB_URL")),
            shards=_positive("LLMA_SHARDS", get("LLMA_SHARDS"), DEFAULT_SHARDS),
            shard_events=_positive("LLMA_SHARD_EVENTS", get("LLMA_SHARD_EVENTS"), DEFAULT_SHARD_EVENTS),
            cluster=_cluster(get),
            retention_days=_retention(get("LLMA_RETENTION_DAYS")),
        )

    @property
    def rejects_dir(self) -> Path:
        """Where `llma ingest` writes rejected lines."""
        return self.data_dir / "rejects"

    def __repr__(self) -> str:
        """Without secrets: no key, and no URL with a password."""
        server = "embedded" if self.clickhouse_url is None else "CLICKHOUSE_URL"
        return f"Settings(data_dir={str(self.data_dir)!r}, clickhouse={server}, chat_model={self.chat_model!r})"


def _cluster(get: Callable[[str], str | None]) -> Cluster:
    """The names become part of statements, so that they must be plain."""
    names = {
        variable: get(variable) or default
        for variable, default in (
            ("LLMA_CLICKHOUSE_CLUSTER", ""),
            ("LLMA_CLICKHOUSE_STORAGE_POLICY", ""),
            ("LLMA_CLICKHOUSE_KEEPER_ROOT", "/clickhouse/tables"),
        )
    }
    for variable, name in names.items():
        if not re.fullmatch(r"[\w./-]*" if variable.endswith("ROOT") else r"[\w.-]*", name):
            raise SettingsError(f"{variable} must be a name of letters, digits, _, - and dots, not {name[:40]!r}")
    sharded = get("LLMA_CLICKHOUSE_SHARDED") or "0"
    if sharded not in ("0", "1"):
        raise SettingsError(f"LLMA_CLICKHOUSE_SHARDED must be 1 or 0, not {sharded[:40]!r}")
    cluster, policy, root = names.values()
    if sharded == "1" and not cluster:
        raise SettingsError("LLMA_CLICKHOUSE_SHARDED needs LLMA_CLICKHOUSE_CLUSTER, the name of the cluster")
    if cluster and not get("CLICKHOUSE_URL"):
        raise SettingsError("LLMA_CLICKHOUSE_CLUSTER needs CLICKHOUSE_URL: the embedded database has no cluster")
    return Cluster(cluster, sharded == "1", policy, root.rstrip("/"))


def _retention(text: str | None) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        table, _, days = (each.strip() for each in part.partition("="))
        if not table or not (days.isascii() and days.isdigit() and 1 <= int(days[:6]) <= 36_500):
            raise SettingsError(
                f"LLMA_RETENTION_DAYS must be like trace_texts=30,model_usage=400, in days from 1, not {part[:80]!r}"
            )
        found[table] = int(days)
    return tuple(sorted(found.items()))


def _effort(text: str | None) -> str | None:
    """Servers add levels of their own, so any word will do; `default` leaves it to the server."""
    if text is not None and not re.fullmatch(r"[a-z]{1,20}", text):
        raise SettingsError(
            f"LLMA_REASONING_EFFORT must be a level like none, minimal, low, medium or high, or default for "
            f"that of the server, not {text[:40]!r}"
        )
    return "" if text == "default" else text


def _web_url(text: str | None) -> str | None:
    if text == "none":
        return None
    if text is not None and not re.fullmatch(r"https?://[^\s<>\"']+", text):
        raise SettingsError(
            f"LLMA_WEB_URL must be the address of the pages like https://llma.example.com, or none for no links to "
            f"them, not {text[:80]!r}"
        )
    return (text or DEFAULT_WEB_URL).rstrip("/")


def _owners(text: str | None) -> tuple[str, ...]:
    owners = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    for owner in owners:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+|team:[\w-]+", owner):
            raise SettingsError(
                f"LLMA_OWNERS must be e-mail addresses or team:name, separated by commas; {owner[:80]!r} is neither"
            )
    return owners


def _positive(name: str, text: str | None, default: int) -> int:
    if text is not None and not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise SettingsError(f"{name} must be a positive integer, not {text[:40]!r}")
    return default if text is None else int(text)


def _budget(text: str | None) -> float | None:
    try:
        budget = math.inf if text is None else float(text)
    except ValueError:
        budget = math.nan
    if not budget >= 0:  # NaN, too
        raise SettingsError(f"LLMA_DAILY_BUDGET_USD must be US dollars like 2.50, or inf for no limit, not {text!r}")
    return None if math.isinf(budget) else budget
