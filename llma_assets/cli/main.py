"""`llma`: finds the command, and turns each failure into one line and an exit code.

The commands belong in `commands/`. They are imported when they are called, and import the rooms when they run, so that
`llma --help` answers at once.
"""

import os
import sys
import traceback
import warnings
from typing import Any

import click

from llma_assets.cli.errors import Interrupted, WrongUse, explained
from llma_assets.cli.lazy import LazyGroup
from llma_assets.log_lines import log_to_stderr

COMMANDS = {
    "demo": "llma_assets.cli.commands.demo:demo",
    "sources": "llma_assets.cli.commands.sources:sources_group",
    "ingest": "llma_assets.cli.commands.ingest:ingest_command",
    "receive": "llma_assets.cli.commands.receive:receive",
    "run": "llma_assets.cli.commands.run:run",
    "clusters": "llma_assets.cli.commands.clusters:clusters",
    "trends": "llma_assets.cli.commands.trends:trends",
    "digest": "llma_assets.cli.commands.digest:digest",
    "trace": "llma_assets.cli.commands.trace:trace",
    "themes": "llma_assets.cli.commands.themes:themes_group",
    "segments": "llma_assets.cli.commands.segments:segments_group",
    "tasks": "llma_assets.cli.commands.tasks:tasks_group",
    "verify": "llma_assets.cli.commands.verify:verify",
    "releases": "llma_assets.cli.commands.verify:releases_group",
    "alerts": "llma_assets.cli.commands.alerts:alerts_group",
    "trackers": "llma_assets.cli.commands.trackers:trackers_group",
    "check": "llma_assets.cli.commands.check:check",
    "stages": "llma_assets.cli.commands.stages:stages",
    "skips": "llma_assets.cli.commands.ledger:skips",
    "estimate": "llma_assets.cli.commands.estimate:estimate",
    "usage": "llma_assets.cli.commands.ledger:usage",
    "retry": "llma_assets.cli.commands.retry:retry",
    "db": "llma_assets.cli.commands.database:db",
    "automation": "llma_assets.cli.commands.automation:automation",
    "doctor": "llma_assets.cli.commands.doctor:doctor",
    "report": "llma_assets.cli.commands.report:report",
    "web": "llma_assets.cli.commands.web:web",
    "dev": "llma_assets.cli.commands.dev:dev",
}
"""Where each command lives, in the order of the help page."""


class ExplainingGroup(LazyGroup):
    """Turns exceptions into exit codes and one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; each exception becomes a `Problem` with an exit code."""
        os.umask(0o077)  # what we and Dagster write, in this process and its children, holds texts of traces
        try:
            return super().invoke(ctx)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx else "llma"
            raise WrongUse(f"{error.format_message()} (see `{where} --help`)") from error
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except (KeyboardInterrupt, click.Abort):
            raise Interrupted("interrupted; stored results are kept, and it is safe to run the command again") from None
        # The outermost handler: each failure becomes a message and an exit code.
        except Exception as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            raise explained(error) from error


@click.command(
    cls=ExplainingGroup,
    locations=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--debug", is_flag=True, envvar="LLMA_DEBUG", help="Show the traceback of a failure (or LLMA_DEBUG=1).")
@click.version_option(package_name="llma-assets", prog_name="llma")
def cli(debug: bool) -> None:
    """Turn traces of LLM applications into labelled clusters.

    Results go to stdout, messages to stderr. Exit codes: 0 success, 1 a check or a run failed, 2 wrong use,
    130 interrupted. Settings come from the environment; `llma doctor` checks them.
    """


def main() -> None:
    """The entry point `llma`."""
    # Characters that the encoding of the terminal lacks are shown as escapes, and never end the program.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if not sys.warnoptions:  # for developers; `python -W default -m llma_assets.cli.main` shows them
        warnings.simplefilter("ignore")
    log_to_stderr()
    cli(prog_name="llma")


if __name__ == "__main__":
    main()
