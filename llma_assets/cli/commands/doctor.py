"""`llma doctor`: checks the installation and its settings. The checks belong in `cli/run/probes`."""

import click

from llma_assets.cli.options import json_option
from llma_assets.cli.render.console import emit_report, hinted, plain, show

STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check settings, database, models and the Dagster instance.

    For each problem it says what to do. Exit code 1 if a check fails.
    """
    from llma_assets.cli.run.probes import DoctorReport, probe_everything

    findings = []
    for finding in probe_everything():
        findings.append(finding)
        if not as_json:
            mark = click.style(f"{finding.status:4}", fg=STYLES[finding.status])
            click.echo(f"{mark} {finding.name}: {plain(finding.detail)}")
            if finding.advice:
                show(f"     {plain(hinted(finding.advice))}")
    failed = sum(finding.status == "fail" for finding in findings)
    if as_json:
        emit_report(DoctorReport(ok=not failed, findings=tuple(findings)))
    if failed:
        ctx.exit(1)
