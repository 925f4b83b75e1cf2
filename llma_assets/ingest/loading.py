"""Ingests a source: batches, progress and the report. Parsing belongs in `parsing`, the inserts in `store`."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO

from llma_assets.clickhouse import Database
from llma_assets.ingest.converting import FORMAT_NAMES, Converter, Item, Rejected, converter_for
from llma_assets.ingest.errors import SourceError, StrictError
from llma_assets.ingest.items import read_items
from llma_assets.ingest.lines import DamagedSource, ReadPosition
from llma_assets.ingest.moments import day_of
from llma_assets.ingest.parsing import MAX_TEAM_ID, Event
from llma_assets.ingest.pieces import PieceStore
from llma_assets.ingest.rejects import RejectsFile
from llma_assets.ingest.report import IngestProgress, IngestReport, TeamReport
from llma_assets.ingest.seen import SeenKeys
from llma_assets.ingest.store import store_new
from llma_assets.ingest.tenants import teams_of_tenants
from llma_assets.source_catalog import team_of_tenant

FUTURE = timedelta(days=1)
MONTH_US = 30 * 86_400_000_000
SPREAD_MONTHS = 25
SPREAD_ROWS = 4


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """Limits that bound the memory of an ingest: about 160 MB, and up to ten times the longest line or the batch.

    Into the embedded server come 8 MB for each million events, up to 128 MB (`seen`).

    Attributes:
        max_line_bytes: a longer line is rejected without being read whole.
        batch_rows: most events of a batch; up to four times as many if they spread over years, because each month of
            a batch becomes a part of the table.
        batch_bytes: a batch is stored once its events have so many bytes.
    """

    max_line_bytes: int = 64 << 20
    batch_rows: int = 20_000
    batch_bytes: int = 16 << 20

    def __post_init__(self) -> None:
        for name in ("max_line_bytes", "batch_rows", "batch_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")


def ignore_progress(progress: IngestProgress) -> None:
    """A `progress` that shows nothing."""


def ingest(
    source: BinaryIO | Path,
    database: Database,
    *,
    rejects: Path | None,
    strict: bool = False,
    team_id: int | None = None,
    format_name: str | None = None,
    pieces: PieceStore | None = None,
    limits: IngestLimits = IngestLimits(),
    progress: Callable[[IngestProgress], None] = ignore_progress,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> IngestReport:
    """Store the events of a file of ours or another tool's (`formats`), each once however often this runs.

    Team and uuid identify an event; the first of several wins, as does a stored one. The ingest can be killed at any
    moment and run again. Concurrent ingests of one data folder store and count each event once; those of two machines
    may both store it: merges remove one, and readers count by uuid.

    Args:
        source: a path, or an open binary stream, which is read to its end and not closed.
        rejects: folder for the file of rejected lines, None for no file.
        strict: stop at the first rejected line, after storing the events before it.
        team_id: the team of all events, whatever the lines say; None to use the team of each line, or of the project or
            service that it names.
        format_name: one of `FORMAT_NAMES`; None to recognise it.
        pieces: content of spans that stands in files read before, to which this file adds its own; None to join
            within this file alone.
        limits: limits that bound the memory.
        progress: called after each batch and at the end.
        clock: the current time; events more than a day later are rejected.

    Raises:
        StrictError: `strict` is set, and a line is rejected.
        SourceError: the source cannot be opened or read to its end; events before the damage are stored.
        DatabaseError: the database failed; earlier batches are stored.
        ValueError: `team_id` is not a team id, or `format_name` no format.
    """
    if team_id is not None and not 0 <= team_id <= MAX_TEAM_ID:
        raise ValueError(f"team_id must be an integer from 0 to {MAX_TEAM_ID}, not {team_id}")
    if format_name is not None and format_name not in FORMAT_NAMES:
        raise ValueError(f"format_name must be one of {', '.join(FORMAT_NAMES)}, not {format_name!r}")
    with (
        RejectsFile(rejects) as refused,
        nullcontext(pieces) if pieces is not None else closing(PieceStore()) as held,
        ThreadPoolExecutor(1, "llma-ingest") as pool,
    ):
        loading = _Loading(database, limits, progress, refused, _size(source), pool)
        loading.seen = SeenKeys() if database.is_embedded else None  # another server may have writers elsewhere
        try:
            loading.converter, items = converter_for(
                read_items(source, limits.max_line_bytes, loading.position), format_name, team_id
            )
            loading.converter.pieces = held
            loading.require_team()
            read, latest = -1, clock() + FUTURE
            for item in items:
                if loading.position.content_bytes != read:
                    read, latest = loading.position.content_bytes, clock() + FUTURE
                for outcome in loading.of(item, latest):
                    if isinstance(outcome, Event):
                        loading.add(outcome)
                        continue
                    loading.reject(outcome)
                    if strict:
                        loading.store_all()
                        raise StrictError(item.number, outcome.error, loading.report()) from None
            for outcome in loading.converter.rest(clock() + FUTURE):
                if isinstance(outcome, Event):
                    loading.add(outcome)
                else:
                    loading.reject(outcome)
        except DamagedSource as error:
            loading.store_all()
            where = _name(source) + (f", after line {loading.lines:,}" if loading.lines else "")
            raise SourceError(f"{where}: {error}", loading.report()) from error
        loading.store_all()
    return loading.report()


def _name(source: BinaryIO | Path) -> str:
    return str(source) if isinstance(source, Path) else str(getattr(source, "name", "the source"))


def _size(source: BinaryIO | Path) -> int | None:
    """Bytes of a regular file, None for any other source."""
    return source.stat().st_size if isinstance(source, Path) and source.is_file() else None


@dataclass(slots=True)
class _Team:
    accepted: int
    inserted: int
    first_us: int
    last_us: int

    def report(self) -> TeamReport:
        return TeamReport(self.accepted, self.inserted, day_of(self.first_us), day_of(self.last_us))


@dataclass(slots=True)
class _Loading:
    """The counts of one ingest, the batch that is being stored, and the next one."""

    database: Database
    limits: IngestLimits
    progress: Callable[[IngestProgress], None]
    rejects: RejectsFile
    source_size: int | None
    pool: ThreadPoolExecutor
    converter: Converter = field(default_factory=Converter)
    position: ReadPosition = field(default_factory=ReadPosition)
    started: float = field(default_factory=time.monotonic)
    lines: int = 0
    empty: int = 0
    accepted: int = 0
    inserted: int = 0
    repaired: int = 0
    repairs: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    teams: dict[int, _Team] = field(default_factory=dict)
    batch: list[Event] = field(default_factory=list)
    batch_bytes: int = 0
    seen: SeenKeys | None = None
    storing: tuple[Future[list[Event]], list[Event], int] | None = None

    def require_team(self) -> None:
        """Raise where no record could have a team: better than to refuse each of them."""
        form = self.converter.format
        if form is None or self.converter.team_id is not None:
            return
        if form.tenant:
            self.converter.teams = teams_of_tenants(partial(team_of_tenant, self.database, form.kind or form.name))
        elif not form.has_teams:
            raise DamagedSource(f"it is {form.title} ({form.name}), whose records name no team: add --team N")

    def of(self, item: Item, latest: datetime) -> Iterable[Event | Rejected]:
        """The outcomes of an item; one without any counts as empty."""
        self.lines = item.number
        outcomes = self.converter.read(item, latest)
        if isinstance(outcomes, tuple):
            self.empty += not outcomes
            return outcomes
        return self._counted(outcomes)

    def _counted(self, outcomes: Iterable[Event | Rejected]) -> Iterator[Event | Rejected]:
        is_empty, kept = True, self.converter.kept
        for outcome in outcomes:
            is_empty = False
            yield outcome
        self.empty += is_empty and kept == self.converter.kept

    def add(self, event: Event) -> None:
        """Count a valid event, and store the batch once it is full."""
        self.batch.append(event)
        self.batch_bytes += len(event.properties)
        if self.batch_bytes >= self.limits.batch_bytes or (
            len(self.batch) % self.limits.batch_rows == 0 and len(self.batch) >= self._most_rows()
        ):
            self.store()

    def _most_rows(self) -> int:
        months = {event.timestamp_us // MONTH_US for event in self.batch}
        return self.limits.batch_rows * min(1 + len(months) // SPREAD_MONTHS, SPREAD_ROWS)

    def reject(self, rejected: Rejected) -> None:
        """Count a record, or a part of one, that is no event."""
        self.reasons[rejected.error.reason] += 1
        self.rejects.add(rejected.line, rejected.error)

    def store(self) -> None:
        """Begin to store the batch, once the one before is stored: the server stores while the next is read."""
        self.finish()
        batch, self.batch, self.batch_bytes = self.batch, [], 0
        self.storing = (self.pool.submit(store_new, self.database, batch, self.seen), batch, self.lines)

    def store_all(self) -> None:
        """Store what is left."""
        self.store()
        self.finish()

    def finish(self) -> None:
        """Wait for the batch that is being stored, and report progress. Its events count as accepted now."""
        if self.storing is None:
            return
        (future, batch, lines), self.storing = self.storing, None
        new = future.result()
        times: defaultdict[int, list[int]] = defaultdict(list)
        for event in batch:
            times[event.team_id].append(event.timestamp_us)
            if event.repairs:
                self.repaired += 1
                self.repairs.update(event.repairs)
        inserted = Counter(event.team_id for event in new)
        for team_id, all_us in times.items():
            team = self.teams.setdefault(team_id, _Team(0, 0, all_us[0], all_us[0]))
            team.accepted += len(all_us)
            team.inserted += inserted[team_id]
            team.first_us = min(team.first_us, *all_us)
            team.last_us = max(team.last_us, *all_us)
        self.accepted += len(batch)
        self.inserted += len(new)
        self.progress(
            IngestProgress(
                lines=lines,
                source_bytes=self.position.source_bytes,
                source_size=self.source_size,
                inserted=self.inserted,
                duplicates=self.accepted - self.inserted,
                rejected=self.reasons.total(),
            )
        )

    def _advice(self) -> str:
        has_records = self.reasons or (self.lines and self.converter.format is not None)
        return self.converter.advice() if has_records and not self.accepted else ""

    def report(self) -> IngestReport:
        return IngestReport(
            lines=self.lines,
            empty=self.empty,
            accepted=self.accepted,
            inserted=self.inserted,
            duplicates=self.accepted - self.inserted,
            rejected=self.reasons.total(),
            bytes=self.position.content_bytes,
            repaired=self.repaired,
            repairs=dict(self.repairs),
            reasons=dict(self.reasons),
            first_refusal=self.rejects.first,
            rejects_file=self.rejects.path,
            teams={team_id: team.report() for team_id, team in sorted(self.teams.items())},
            format=self.converter.name,
            advice=self._advice(),
            duration_s=time.monotonic() - self.started,
            kept=self.converter.kept,
        )
