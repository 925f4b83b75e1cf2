"""One `llma demo` that several tests look at, by `planted_once(demo_run, DAY)`."""

from datetime import date

from click.testing import CliRunner

from llma_assets.cli.main import cli
from llma_assets.clickhouse import Database

DAY = date(2026, 11, 7)


def demo_run(_: Database, day: date) -> str:
    """Run the demo on the empty database of the environment; returns what it prints."""
    done = CliRunner().invoke(cli, ["demo", "--date", str(day)], prog_name="llma")
    assert done.exit_code == 0, done.output
    return done.stdout
