"""The theme itself: a question asked of traces, and of which ones, how it is answered, grouped, paid for and repeated.

What a filter means belongs in `filters.py`, which themes ship in `built_in.py`, what is stored of a team's own in
`store.py`.
"""

import hashlib
from dataclasses import astuple, dataclass, field, fields
from datetime import date
from typing import Any, Literal

Level = Literal["trace", "generation"]
Mode = Literal["minimal", "detailed"]
Method = Literal["graph", "kmeans", "hdbscan"]
Schedule = Literal["manual", "every_10_minutes", "hourly", "daily", "weekly"]
Rule = Literal["errors", "ux", "feature_requests", "performance", "success", "keywords"]
Operator = Literal[
    "exact",
    "is_not",
    "icontains",
    "not_icontains",
    "regex",
    "not_regex",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "not_in",
    "is_set",
    "is_not_set",
    "between",
    "date_exact",
    "date_before",
    "date_after",
]

FilterValue = str | int | float | bool | None | tuple[str | int | float | bool, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that one event of a trace must meet; its meaning and its limits belong in `filters.py`.

    Attributes:
        key: name of an event property, such as `$ai_span_name`.
        operator: how the property is compared.
        value: what with; a tuple for `in`, `not_in` and `between`, None for `is_set` and `is_not_set`.
    """

    key: str
    operator: Operator
    value: FilterValue = None


@dataclass(frozen=True, slots=True)
class ThemeClustering:
    """How a theme's items are grouped; the meaning of each is that of `ClusteringConfig`.

    Attributes:
        min_items: with fewer in the window nothing is clustered.
        max_samples: with more in the window a seeded sample is clustered, the rest assigned; None is the method's own.
        mix_versions: cluster items that were summarised under an earlier version of the theme, too.
    """

    method: Method = "graph"
    target_clusters: int | None = None
    min_cluster_size: int | None = None
    min_k: int = 3
    max_k: int = 6
    min_items: int = 20
    max_samples: int | None = None
    mix_versions: bool = False


@dataclass(frozen=True, slots=True)
class Theme:
    """One question asked of traces, or of generations.

    Attributes:
        theme_id: stable name; part of every key below it.
        level: what an item is.
        prompt: what the summary should look at, one or two sentences.
        mode: how long a summary is, `minimal` or `detailed`.
        name: for people.
        description: for people, what it is for.
        judged: the answer says whether the item has to do with the theme at all; what has not is not clustered.
        base_filters: what every item must match, the team's own base filters first.
        theme_filters: what an item must match beside those.
        rule: how relevance is decided without a model; None takes every item that matches.
        keywords: words of the rule `keywords`.
        screen: with a model, too, only what the rule takes is asked about: cheap, and what the rule misses is missed.
        after: another theme, whose relevant items alone are looked at.
        sample_rate: share of the matching items that is taken, in (0, 1]; None takes all, or a tenth where there are
            more than `MANY_MATCHES` of a day.
        sample_seed: which ones.
        model: chat model, None for that of the installation.
        first_day, last_day: only days between are worked on, both included; None is open.
        lookback_days: days that a clustering reads, None for the team's.
        clustering: how items are grouped.
        schedule: how often it runs by itself.
        enabled: whether it runs at all.
        daily_budget_usd: what it may cost for a day, within the team's budget; None is no limit of its own.
    """

    theme_id: str
    level: Level
    prompt: str
    mode: Mode = "detailed"
    name: str = ""
    description: str = ""
    judged: bool = True
    base_filters: tuple[Filter, ...] = ()
    theme_filters: tuple[Filter, ...] = ()
    rule: Rule | None = None
    keywords: tuple[str, ...] = ()
    screen: bool = False
    after: str | None = None
    sample_rate: float | None = None
    sample_seed: int = 42
    model: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    lookback_days: int | None = None
    clustering: ThemeClustering = field(default_factory=ThemeClustering)
    schedule: Schedule = "daily"
    enabled: bool = True
    daily_budget_usd: float | None = None

    @property
    def filters(self) -> tuple[Filter, ...]:
        """All filters; an item matches when one event of it meets them all."""
        return self.base_filters + self.theme_filters

    @property
    def version(self) -> str:
        """Changes with what is asked, and of which items; summaries and clusters of two versions are not comparable.

        How much is sampled, how items are grouped, when and for how much money is no part of it.
        """
        asked = f"{self.level}|{self.mode}|{self.prompt}" + ("|judged" if self.judged else "")
        defaults = {each.name: each.default for each in fields(self)}
        special: dict[str, Any] = {
            name: [astuple(each) for each in value] if name.endswith("filters") else value
            for name in ("base_filters", "theme_filters", "rule", "keywords", "screen", "after", "model")
            if (value := getattr(self, name)) != defaults[name]
        }
        # The general themes have none of these, and the version that they had before there were such fields.
        return hashlib.sha256((asked + (f"|{special!r}" if special else "")).encode()).hexdigest()[:12]

    @property
    def rendering(self) -> str:
        """Name of the theme's embedding space."""
        return f"llm_traces_summary_{self.theme_id}"

    @property
    def document_type(self) -> str:
        """Type of the embedded documents."""
        return f"llm-{self.level}-summary"

    @property
    def event(self) -> str:
        """Name of the event that publishes the theme's clusters."""
        return f"$ai_{self.level}_clusters"

    def covers(self, day: date) -> bool:
        """Whether the theme is to be run on a day."""
        return (self.first_day is None or day >= self.first_day) and (self.last_day is None or day <= self.last_day)


MANY_MATCHES = 5_000
FEW_OF_MANY = 0.1
"""Of more than `MANY_MATCHES` items of a day this share is taken, unless the theme says otherwise."""
