"""The state of the pipeline as Prometheus reads it. What is measured belongs in `reports`, who may ask in `operations`.

Teams are named by number alone: a name is a customer's. Without teams all of them are added up, and the largest delay
counts. No text of a trace, no theme and no address is in a label.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from llma_assets.alerts import OutboxCount
from llma_assets.reports import OperationsReport

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Row = tuple[tuple[str, ...], int, float]
"""Values of the labels beside the team, the team, the value."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one scrape shows.

    Attributes:
        report: None where the database is away.
        outbox: of alerts.
        runs: of Dagster by status; empty where nobody counts them.
        heartbeats: seconds since each of Dagster's daemons was last heard of.
    """

    report: OperationsReport | None
    outbox: Sequence[OutboxCount] = ()
    runs: Mapping[str, int] | None = None
    heartbeats: Mapping[str, float] | None = None


def exposition(measured: Measured, *, teams: Collection[int] | None, by_team: bool) -> bytes:
    """The metrics in Prometheus' text format.

    Args:
        teams: those that whoever asks may see, None for all.
        by_team: whether each team has figures of its own.
    """
    registry = CollectorRegistry()
    registry.register(_Collected(measured, teams, by_team))
    ProcessCollector(namespace="llma_web", registry=registry)
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, measured: Measured, teams: Collection[int] | None, by_team: bool) -> None:
        self._measured, self._teams, self._by_team = measured, teams, by_team

    def collect(self) -> Iterator[Metric]:
        report = self._measured.report
        up = GaugeMetricFamily("llma_database_up", "Whether the database answers.")
        up.add_metric([], float(report is not None))
        yield up
        if report is not None:
            yield from self._of_report(report.of_teams(self._teams))
        if self._teams is None:
            yield from self._of_dagster()

    def _of_report(self, report: OperationsReport) -> Iterator[Metric]:
        at = GaugeMetricFamily("llma_measured_timestamp_seconds", "When these figures were read.")
        at.add_metric([], report.measured_at.timestamp())
        yield at
        stages = report.stages
        yield self._gauge(
            "llma_stage_last_write_timestamp_seconds",
            "When a stage last stored anything, within eight days.",
            ("stage",),
            [((each.stage,), each.team_id, each.last_at.timestamp()) for each in stages if each.last_at],
            max,
        )
        yield self._gauge(
            "llma_stage_items",
            "Items that a stage has stored of today and yesterday.",
            ("stage",),
            [((each.stage,), each.team_id, float(each.items)) for each in stages if each.items is not None],
        )
        yield self._gauge(
            "llma_stage_failed_items",
            "Items of the last eight days that failed.",
            ("stage",),
            [((each.stage,), each.team_id, float(each.failures)) for each in report.failures],
        )
        yield self._gauge(
            "llma_skips",
            "Partitions and themes of the last eight days for which a stage did nothing or failed, by reason.",
            ("stage", "reason"),
            [((each.stage, each.reason), each.team_id, float(each.skips)) for each in report.skips],
        )
        yield from self._of_calls(report)
        yield self._gauge(
            "llma_lag_seconds",
            "Since the end of the oldest ended day without clusters and without a reason why; 0 if there is none.",
            (),
            [((), each.team_id, each.seconds) for each in report.lags],
            max,
        )
        yield self._gauge(
            "llma_days_owed",
            "Ended days of the last eight without clusters and without a reason why.",
            (),
            [((), each.team_id, float(each.days)) for each in report.lags],
        )
        outbox = [each for each in self._measured.outbox if self._teams is None or each.team_id in self._teams]
        yield self._gauge(
            "llma_alert_messages",
            "Messages of alerts that wait, and that were given up.",
            ("state",),
            [
                row
                for each in outbox
                for row in (
                    (("pending",), each.team_id, float(each.pending)),
                    (("dead",), each.team_id, float(each.dead)),
                )
            ],
        )
        yield self._gauge(
            "llma_alert_oldest_pending_seconds",
            "Age of the oldest message that waits.",
            (),
            [
                ((), each.team_id, (report.measured_at - each.oldest).total_seconds())
                for each in outbox
                if each.oldest is not None
            ],
            max,
        )

    def _of_calls(self, report: OperationsReport) -> Iterator[Metric]:
        """Counters that begin anew at midnight UTC, as those of a process that was restarted do."""
        calls = report.calls
        for name, about, values in (
            ("llma_model_calls", "Calls of models", [each.calls for each in calls]),
            ("llma_model_failed_calls", "Calls of models that failed", [each.failed for each in calls]),
            ("llma_model_input_tokens", "Tokens of questions", [each.input_tokens for each in calls]),
            ("llma_model_output_tokens", "Tokens of answers", [each.output_tokens for each in calls]),
            ("llma_model_cost_usd", "Cost; the most it can be where it is unknown", [each.cost_usd for each in calls]),
            ("llma_model_seconds", "Seconds that calls took", [each.seconds for each in calls]),
        ):
            rows = [
                ((each.stage, each.model), each.team_id, float(value))
                for each, value in zip(calls, values, strict=True)
            ]
            yield self._counter(name, f"{about}, since midnight UTC.", ("stage", "model"), rows)

    def _of_dagster(self) -> Iterator[Metric]:
        if self._measured.runs is not None:
            runs = GaugeMetricFamily(
                "llma_dagster_runs",
                "Dagster's runs that wait or are on, and those of the last day that ended.",
                labels=["status"],
            )
            for status, count in sorted(self._measured.runs.items()):
                runs.add_metric([status], count)
            yield runs
        if self._measured.heartbeats is not None:
            beats = GaugeMetricFamily(
                "llma_dagster_daemon_heartbeat_age_seconds",
                "Since each of Dagster's daemons was last heard of.",
                labels=["daemon"],
            )
            for daemon, age in sorted(self._measured.heartbeats.items()):
                beats.add_metric([daemon], age)
            yield beats

    def _gauge(
        self,
        name: str,
        about: str,
        labels: Sequence[str],
        rows: Sequence[Row],
        together: Callable[[Sequence[float]], float] = sum,
    ) -> Metric:
        family = GaugeMetricFamily(name, about, labels=self._labels(labels))
        for values, value in self._values(rows, together):
            family.add_metric(values, value)
        return family

    def _counter(self, name: str, about: str, labels: Sequence[str], rows: Sequence[Row]) -> Metric:
        family = CounterMetricFamily(name, about, labels=self._labels(labels))
        for values, value in self._values(rows, sum):
            family.add_metric(values, value)
        return family

    def _labels(self, labels: Sequence[str]) -> list[str]:
        return [*labels, "team"] if self._by_team else list(labels)

    def _values(
        self, rows: Sequence[Row], together: Callable[[Sequence[float]], float]
    ) -> Iterator[tuple[list[str], float]]:
        found: dict[tuple[str, ...], list[float]] = {}
        for labels, team_id, value in rows:
            found.setdefault((*labels, str(team_id)) if self._by_team else labels, []).append(value)
        for key, values in found.items():
            yield list(key), together(values)
