"""How near `llma estimate` comes, and how near a budget is used up: `python -m benchmarks.money`.

The week of airline agents, a day after another, through the real commands and a real HTTP server that counts tokens
as OpenAI does (its answers are made from the prompt, so their length is the server's own). First each day is
estimated from its texts alone; then it is run. A second database gets a budget of a third of what a day costs.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from llma_assets.cli.main import cli
from llma_assets.clickhouse import stop
from llma_assets.models import price_of
from llma_assets.testing import ChatServer, real_bill

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "airline_agent.events.jsonl.gz"
FIRST, DAYS, TEAM = date(2026, 11, 1), 7, "1"
MODELS = {"LLMA_CHAT_MODEL": "gpt-6-luna", "LLMA_EMBEDDING_MODEL": "text-embedding-3-large"}
NUMBERS = ("calls", "input_tokens", "output_tokens", "cost_usd")


def main() -> int:
    """Print both tables; 2 if the data is missing."""
    if not DATA.is_file():
        print(f"not found: {DATA.name}", file=sys.stderr)
        return 2
    with database(), ChatServer(bill=real_bill) as server:
        os.environ |= {"OPENAI_BASE_URL": server.url, **MODELS}
        print("| day | calls | tokens in | tokens out | USD predicted | USD actual | off by |")
        print("|---|---|---|---|---|---|---|")
        days = [FIRST + timedelta(days=n) for n in range(DAYS)]
        actual = [estimate_and_run(day) for day in days]
    cost = actual[2]["cost_usd"]
    with database(), ChatServer(bill=real_bill, latency_s=0.002) as server:
        os.environ |= {"OPENAI_BASE_URL": server.url, "LLMA_DAILY_BUDGET_USD": str(cost / 3)}
        llma("run", "--team", TEAM, "--date", str(days[2]))
        spent = sum(usd(*each) for each in server.billed)
        skips = llma("skips", "--team", TEAM, "--date", str(days[2]))["skips"]
        print(f"\nbudget {cost / 3:.4f} USD, billed by the server {spent:.4f} USD ({spent / cost * 3:.1%})")
        print("\n".join(f"{skip['stage']}, {skip['theme']}: {skip['reason']}" for skip in skips))
    return 0


def estimate_and_run(day: date) -> dict[str, Any]:
    """One day; its totals as they were."""
    at = ("--team", TEAM, "--date", str(day))
    llma("run", "--texts-only", *at)
    before = llma("estimate", *at)["total"]
    llma("run", *at)
    after: dict[str, Any] = llma("usage", *at)["total"]
    cells = " | ".join(f"{before[name]:,} / {after[name]:,}" for name in NUMBERS[:3])
    off = before["cost_usd"] / after["cost_usd"] - 1
    print(f"| {day} | {cells} | {before['cost_usd']:.4f} | {after['cost_usd']:.4f} | {off:+.1%} |", flush=True)
    return after


def usd(model: str, spoken: int, said: int) -> float:
    """What a call costs by the price list."""
    price = price_of(model)
    assert price is not None
    return price.cost_usd(input_tokens=spoken, output_tokens=said)


def llma(*arguments: str) -> dict[str, Any]:
    """Run a command with `--json`."""
    result = CliRunner().invoke(cli, [*arguments, "--json"], prog_name="llma")
    if result.exit_code:
        raise SystemExit(f"llma {' '.join(arguments)}: {result.stderr}")
    document: dict[str, Any] = json.loads(result.stdout)
    return document


@contextmanager
def database() -> Iterator[None]:
    """A fresh embedded database with the week's events, in which a day stands for itself."""
    folder = Path(tempfile.mkdtemp(prefix="llma-benchmark-"))
    before = dict(os.environ)
    try:
        os.environ["LLMA_DATA_DIR"] = str(folder)
        for name in ("CLICKHOUSE_URL", "LLMA_TEAMS_FILE", "LLMA_DAILY_BUDGET_USD", "OPENAI_API_KEY", "DAGSTER_HOME"):
            os.environ.pop(name, None)
        (folder / "teams.toml").write_text("lookback_days = 1\n[teams.1]\nminimum_traces = 1\n")
        llma("ingest", str(DATA), "--team", TEAM)
        yield
    finally:
        stop(folder)
        os.environ.clear()
        os.environ |= before
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
