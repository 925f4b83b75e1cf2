"""An alert rule and a channel: what a team may set of them. What ships is in `shipped.py`, files in `document.py`."""

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, with_config

from llma_assets.named_settings import line, variable

Kind = Literal[
    "new_cluster",
    "regressed",
    "escalating",
    "threshold",
    "share_shift",
    "gone",
    "split",
    "merged",
    "noise",
    "coverage",
    "spend",
    "gate_blocked",
    "nothing_arrived",
    "digest",
]
Measure = Literal["traces", "users", "error_rate", "cost", "share"]
ChannelKind = Literal["webhook", "slack", "slack_webhook", "mail", "pagerduty", "apprise"]

OF_TEAM: tuple[Kind, ...] = ("noise", "coverage", "gate_blocked", "spend", "nothing_arrived")
"""Kinds whose subject is the whole team or theme, not a lineage."""

WITHOUT_THEME: tuple[Kind, ...] = ("spend", "nothing_arrived")
"""Those of them that are about the team, whatever its themes: judged once, not once a theme."""

SESSION_REPLAYS = "session-replay"
"""In place of a theme's id: the tasks of session replays, of which `regressed` without themes is told."""

TESTED: tuple[Kind, ...] = ("escalating", "threshold", "share_shift")
"""Kinds that may be wrong by chance, and are corrected for all that a team is looked at for."""

BY_HOUR: tuple[Kind, ...] = ("new_cluster", "escalating", "threshold", "share_shift")
"""Kinds that hours can be judged by; of others an hour says nothing."""

SAID_ONCE: tuple[Kind, ...] = ("split", "merged")
"""Kinds that happen on a day: nobody is told that they ended."""

USUAL_K = 3
"""Sigma of a rule that names no other."""

ENV_PREFIX = "LLMA_ALERTS_"
"""Begins the name of each environment variable that a channel may name: no file can have another secret sent."""

_FORBID = ConfigDict(extra="forbid")
Number = Annotated[StrictFloat | StrictInt, Field(ge=0, allow_inf_nan=False)]


Variable = Annotated[StrictStr, Field(max_length=100), AfterValidator(variable(ENV_PREFIX))]
Line = Annotated[StrictStr, Field(max_length=200), AfterValidator(line)]


def _hours(value: str) -> str:
    parts = value.split("-")
    if value and not (len(parts) == 2 and all(each.isdigit() and int(each) < 24 for each in parts)):
        raise ValueError("must be hours of the day in UTC such as 22-07")
    return value


@with_config(_FORBID)
@dataclass(frozen=True, slots=True)
class Rule:
    """When a team is told something.

    Attributes:
        rule: its name; part of every stored decision.
        kind: what is judged (docs/alerts.md).
        name: for people.
        enabled: whether it is judged at all.
        themes: theme ids; every theme of the team if there are none.
        measure: of the kinds `threshold` and `escalating`.
        k: sensitivity: sigmas above what is expected, 1 (much is told) to 6 (little).
        above: of `threshold`: the value itself; of `noise`: the share of outliers; of `spend`: of the daily budget.
        below: of `coverage`: the share of the items.
        times_previous: of `threshold`: so many times the seven days before.
        times_expected: of `threshold` and `escalating`: so many times what is expected of the day.
        min_traces, min_users: fewest of the day; of `new_cluster`: since it began.
        min_distance: of `new_cluster`: cosine distance to every lineage of 90 days before, at least.
        absent_days: of `regressed` and `gone`: days without one trace.
        channels: who is told; nobody if there are none, and incidents are only recorded.
        buckets: judge days, or (kinds of `BY_HOUR`) hours of themes that run hourly.
        every: of `digest`: what it is about, the day or (on Sundays) the week.
        again_days: an open incident is told again every so many days; None: only when it gets worse.
        quiet_hours: hours of the day, UTC, in which nothing is sent, such as `22-07`.
        cool_down_days: of one lineage nothing is told again so soon after its last message.
    """

    rule: StrictStr
    kind: Kind
    name: Line = ""
    enabled: StrictBool = True
    themes: Annotated[tuple[StrictStr, ...], Field(max_length=100)] = ()
    measure: Measure = "traces"
    k: Annotated[StrictFloat | StrictInt, Field(ge=1, le=6)] = USUAL_K
    above: Number | None = None
    below: Annotated[StrictFloat | StrictInt, Field(gt=0, le=1)] | None = None
    times_previous: Annotated[StrictFloat | StrictInt, Field(gt=1, allow_inf_nan=False)] | None = None
    times_expected: Annotated[StrictFloat | StrictInt, Field(gt=1, allow_inf_nan=False)] | None = None
    min_traces: Annotated[StrictInt, Field(ge=0)] = 0
    min_users: Annotated[StrictInt, Field(ge=0)] = 0
    min_distance: Annotated[StrictFloat | StrictInt, Field(ge=0, le=2)] = 0.1
    absent_days: Annotated[StrictInt, Field(ge=2, le=60)] = 14
    channels: Annotated[tuple[StrictStr, ...], Field(max_length=20)] = ()
    buckets: Literal["day", "hour"] = "day"
    every: Literal["day", "week"] = "week"
    again_days: Annotated[StrictInt, Field(ge=1, le=90)] | None = None
    quiet_hours: Annotated[StrictStr, AfterValidator(_hours)] = ""
    cool_down_days: Annotated[StrictInt, Field(ge=0, le=90)] = 1

    @property
    def version(self) -> str:
        """Changes with what is judged; who is told, and when, is no part of it."""
        told = {"name", "enabled", "channels", "every", "again_days", "quiet_hours", "cool_down_days"}
        judged = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in told}
        if judged["below"] is None:  # rules from before the field keep their version
            del judged["below"]
        if judged["buckets"] == "day":
            del judged["buckets"]
        return hashlib.sha256(json.dumps(judged, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def sentence(self) -> str:
        """The rule in plain words."""
        where = f" in {', '.join(self.themes)}" if self.themes else ""
        least = [f"{self.min_users} users"] * bool(self.min_users) + [f"{self.min_traces} traces"] * bool(
            self.min_traces
        )
        of = f" of at least {' and '.join(least)}" if least else ""
        measure = self.measure.replace("_", " ")
        said = {
            "new_cluster": f"a cluster{of} appears that no cluster of the 90 days before is like",
            "regressed": f"a cluster{of} is back after {self.absent_days} days without a trace"
            + ("" if self.themes else ", or a task of session replays after it was resolved"),
            "escalating": f"the {measure} of a cluster{of} rise above what is expected of the weekday"
            f"{' and hour' if self.buckets == 'hour' else ''} by more than {self.k:g} sigma"
            f"{f' and to {self.times_expected:g} times of it' if self.times_expected else ''}, and its share does, too",
            "threshold": f"the {measure} of a cluster{of} is certainly above {self._limits()}",
            "share_shift": f"the share of a cluster{of} in all traces moves from what is expected by {self.k:g} sigma",
            "gone": f"a cluster that had traces in every week before has none for {self.absent_days} days",
            "split": f"a cluster{of} is split into several",
            "merged": f"other clusters become part of a cluster{of}",
            "noise": f"more than {self.above or 0.5:.0%} of the items of a day belong to no cluster",
            "coverage": f"less than {0.8 if self.below is None else self.below:.0%} of the items that a theme "
            "should have clustered on a day are in its results",
            "spend": f"models cost {0.8 if self.above is None else self.above:.0%} of the daily budget or more",
            "digest": f"a {self.every} is over: five sentences on what is new, grown and faded, on quality and spend",
            "gate_blocked": "a blocking check fails on the results of a day, or the day has none",
            "nothing_arrived": "a day has no traces although the four weekdays before had",
        }[self.kind]
        return f"Tell when {said}{where}."

    def _limits(self) -> str:
        named = (
            (self.above, ""),
            (self.times_previous, " times the week before"),
            (self.times_expected, " times what is expected"),
        )
        limits = [f"{number:g}{words}" for number, words in named if number is not None]
        return " and ".join(limits)


@with_config(_FORBID)
@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go. Secrets are named by environment variables and are never stored.

    Attributes:
        channel: its name; rules name it.
        kind: the protocol.
        address_env: variable with the address: of a webhook (`webhook`, `slack_webhook`), of the mail server
            (`smtp://user:password@host:587`), an apprise URL; for others only where the provider's own is not meant.
        secret_env: variable with the webhook's secret (`whsec_…`), Slack's bot token, or PagerDuty's routing key.
        to: Slack's channel id, or addresses of mail.
        sender: of mail.
        enabled: whether anything is sent to it.
    """

    channel: StrictStr
    kind: ChannelKind
    address_env: Variable = ""
    secret_env: Variable = ""
    to: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    sender: Line = ""
    enabled: StrictBool = True

    @property
    def version(self) -> str:
        """Changes with every field."""
        return hashlib.sha256(json.dumps([getattr(self, each.name) for each in fields(self)]).encode()).hexdigest()[:12]
