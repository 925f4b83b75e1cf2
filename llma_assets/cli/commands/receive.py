"""`llma receive`: the web server as a receiver of OTLP. What it stores belongs in `llma_assets.ingest`."""

import click

from llma_assets.cli.commands.web import access_for, server_of
from llma_assets.cli.options import require_named_files, team_option
from llma_assets.cli.render.console import say
from llma_assets.cli.render.teams import team_named


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Interface to serve on.")
@click.option("--port", type=click.IntRange(0, 65535), default=4318, show_default=True, help="0 takes a free one.")
@team_option(required=False, help="Whose the spans are that come without a team.")
def receive(host: str, port: int, team_id: int | None) -> None:
    """Receive traces by OTLP over HTTP, for trying and for small teams.

    Exporters send to this address: OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 and, without --team,
    OTEL_EXPORTER_OTLP_HEADERS=x-llma-team=1. Spans are stored before they are acknowledged. The pages of `llma web`
    are here, too, and its tokens hold. Ctrl-C ends it.
    """
    from llma_assets.private_files import private_folder
    from llma_assets.settings import OWN_EVENTS, Settings
    from llma_assets.web import Site

    require_named_files()
    access, hosts = access_for(host)
    settings = Settings.from_env()
    if settings.events_table != OWN_EVENTS:
        say(
            f"Spans are stored in {OWN_EVENTS}, but the pipeline reads {settings.events_table}: "
            "unset LLMA_EVENTS_TABLE to read the stored spans"
        )
    if not settings.data_dir.exists():
        private_folder(settings.data_dir)
    site = Site(settings, access, default_team=team_id, creates=True)
    site.database.ping()  # a database that is missing is told now, not to each exporter

    server, socket, address = server_of(site, host, port, hosts)
    with socket:
        whose = f"Spans without a team are those of team {team_named(team_id)}." if team_id is not None else ""
        say(f"Traces are received at {address}/v1/traces (protobuf or JSON). {whose} Ctrl-C ends it.")
        server.run(sockets=[socket])
