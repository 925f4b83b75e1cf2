"""The theme itself: a question asked of traces, and of which ones, how it is answered, grouped, paid for and repeated.

Each field's type says which values it takes; they are checked where a theme is read (`validation.py`). What a filter
means belongs in `filter_sql.py`, which themes ship in `built_in.py`, what is stored of a team's own in `store.py`.
"""

import hashlib
from dataclasses import astuple, dataclass, fields
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, with_config

from llma_assets.themes.filter import Filter
from llma_assets.themes.schema import Day, Filters, Line, Text, Word

Level = Literal["trace", "generation"]
Mode = Literal["minimal", "detailed"]
Method = Literal["graph", "kmeans", "hdbscan"]
Schedule = Literal["manual", "every_10_minutes", "hourly", "daily", "weekly"]
Rule = Literal["errors", "ux", "feature_requests", "performance", "success", "keywords"]
_ONLY_KNOWN_FIELDS = ConfigDict(extra="forbid")


@with_config(_ONLY_KNOWN_FIELDS)
@dataclass(frozen=True, slots=True)
class ThemeClustering:
    """How a theme's items are grouped; the meaning of each is that of `ClusteringConfig`.

    Attributes:
        min_items: with fewer in the window nothing is clustered.
        max_samples: with more in the window a seeded sample is clustered, the rest assigned; None is the method's own.
        items_per_trace: items of one trace that clusters are found from, at most; its others are assigned to them.
        mix_versions: cluster items that were summarised under an earlier version of the theme, too.
    """

    method: Method = "graph"
    target_clusters: Annotated[StrictInt, Field(ge=2, le=1000)] | None = None
    min_cluster_size: Annotated[StrictInt, Field(ge=2, le=100_000)] | None = None
    min_k: Annotated[StrictInt, Field(ge=2, le=1000)] = 3
    max_k: Annotated[StrictInt, Field(ge=2, le=1000)] = 6
    min_items: Annotated[StrictInt, Field(ge=2, le=1_000_000)] = 20
    max_samples: Annotated[StrictInt, Field(ge=20, le=1_000_000)] | None = None
    items_per_trace: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 8
    mix_versions: StrictBool = False


@with_config(_ONLY_KNOWN_FIELDS)
@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from the first to the last, both included; None is open. A file calls them `from` and `to`."""

    first: Annotated[Day, Field(alias="from")] = None
    last: Annotated[Day, Field(alias="to")] = None


def _in_order(days: DateRange) -> DateRange:
    if days.first and days.last and days.first > days.last:
        raise ValueError(f"goes from {days.first} to {days.last}, which is before it; exchange the two")
    return days


@with_config(_ONLY_KNOWN_FIELDS)
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
        judged: the model decides on relevance, too: what does not concern the theme is not clustered.
        base_filters: what every item must match, the team's own base filters first.
        theme_filters: what an item must match beside those.
        rule: how relevance is decided without a model; None: every item that matches is relevant.
        keywords: words of the rule `keywords`.
        screen: the model, too, is asked only about what the rule finds relevant: cheap, but the rule may miss some.
        after: another theme; only its relevant items are looked at.
        sample_rate: share of the matching items that is selected, in (0, 1]; None: all, or a tenth where more than
            `MANY_MATCHES` match on a day.
        sample_seed: decides which items those are.
        model: chat model, None for that of the installation.
        date_range: only these days are worked on.
        lookback_days: days that a clustering reads, None for the team's.
        clustering: how items are grouped.
        schedule: how often it runs by itself.
        enabled: whether it runs at all.
        daily_budget_usd: what it may cost for a day, within the team's budget; None is no limit of its own.
        tags: write a `$ai_tag` event for each item of its clusters.
        causes: ask a model for probable causes of its clusters.
        causes_prompt: what to look at above all, when causes are looked for.
        causes_budget_usd: what that may cost for a day, within the theme's budget; None is no limit of its own.
    """

    theme_id: str
    level: Level
    prompt: Text
    mode: Mode = "detailed"
    name: Line = ""
    description: Text = ""
    judged: StrictBool = True
    base_filters: Filters = ()
    theme_filters: Annotated[Filters, Field(alias="filters")] = ()
    rule: Rule | None = None
    keywords: Annotated[tuple[Word, ...], Field(max_length=200)] = ()
    screen: StrictBool = False
    after: StrictStr | None = None
    sample_rate: Annotated[StrictFloat, Field(gt=0, le=1)] | None = None
    sample_seed: Annotated[StrictInt, Field(ge=0, lt=2**31)] = 42
    model: Word | None = None
    date_range: Annotated[DateRange, AfterValidator(_in_order)] = DateRange()
    lookback_days: Annotated[StrictInt, Field(ge=1, le=365)] | None = None
    clustering: ThemeClustering = ThemeClustering()
    schedule: Schedule = "daily"
    enabled: StrictBool = True
    daily_budget_usd: Annotated[StrictFloat, Field(ge=0, le=1_000_000, allow_inf_nan=False)] | None = None
    tags: StrictBool = False
    causes: StrictBool = False
    causes_prompt: Text = ""
    causes_budget_usd: Annotated[StrictFloat, Field(ge=0, le=1_000_000, allow_inf_nan=False)] | None = None

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

    @property
    def first_day(self) -> date | None:
        """The first day that is worked on; None is open."""
        return self.date_range.first

    @property
    def last_day(self) -> date | None:
        """The last day that is worked on; None is open."""
        return self.date_range.last

    def covers(self, day: date) -> bool:
        """Whether the theme is to be run on a day."""
        return (self.first_day is None or day >= self.first_day) and (self.last_day is None or day <= self.last_day)


MANY_MATCHES = 5_000
FEW_OF_MANY = 0.1
"""Of more than `MANY_MATCHES` items of a day this share is selected, unless the theme says otherwise."""
