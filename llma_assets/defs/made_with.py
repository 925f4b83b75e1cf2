"""What else than stored rows decides what a run does: settings, options, themes, versions of the code."""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version

from llma_assets import clusters, embeddings, events, insights, labels, rendering, summaries
from llma_assets.settings import Settings
from llma_assets.teams import TeamLeftOut, TeamSettings, TeamSettingsError, resolve
from llma_assets.themes import Theme

CODE = (
    rendering.RENDERER,
    summaries.PROMPT_VERSION,
    embeddings.TEXT_VERSION,
    clusters.CLUSTERING_VERSION,
    labels.PROMPT_VERSION,
    insights.ATTRIBUTES_VERSION,
    insights.CAUSES_VERSION,
    events.PAYLOAD_VERSION,
)


def made_with(settings: TeamSettings, team_id: int, themes: Sequence[Theme], options: object) -> str:
    """A digest of it; "" for a team that is not processed, about which nothing is remembered.

    Args:
        themes: of the run, and those that they depend on.
        options: of the run, with a `repr` that shows all of them.
    """
    try:
        team = resolve(settings, team_id)
    except (TeamLeftOut, TeamSettingsError):
        return ""
    own = Settings.from_env()
    models = (own.chat_model, own.embedding_model, own.openai_base_url, own.reasoning_effort, own.events_table)
    about = (version("llma-assets"), CODE, models, team, settings.lookback_days, tuple(themes), options)
    return hashlib.sha256(repr(about).encode()).hexdigest()
