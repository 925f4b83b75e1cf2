"""What one question of a theme takes: its prompt, the answers so far, the model. For previews."""

from llma_assets.clickhouse import Database
from llma_assets.ledger import past_calls
from llma_assets.models import chat_model
from llma_assets.rendering import RenderOptions
from llma_assets.settings import Settings
from llma_assets.summaries import ANSWER_TOKENS, STAGE, frame_tokens
from llma_assets.teams import TeamOptions
from llma_assets.themes import Asking, Theme


def asking_of(
    database: Database,
    team_id: int,
    theme: Theme,
    *,
    settings: Settings,
    options: TeamOptions,
    model: str | None = None,
) -> Asking:
    """Tokens of one question of the theme, from its prompt and from earlier calls.

    Args:
        model: who is asked; by default the theme's model, else that of the settings.
    """
    name = model or theme.model or chat_model(settings).name
    longest = RenderOptions.of_team(options, name).max_chars
    if name.startswith("offline/"):
        return Asking(name, 0, 0.0, longest)
    frame = frame_tokens(theme, name)
    past = past_calls(database, team_id, stage=STAGE, theme_id=theme.theme_id, model=name)
    if past is None or not past.items:
        answer = ANSWER_TOKENS[theme.mode]
        return Asking(name, frame, answer, longest, basis=f"answers as mode {theme.mode} asks for")
    return Asking(
        model=name,
        frame_tokens=frame,
        answer_tokens=past.output_tokens / past.calls,
        longest_text=longest,
        calls_per_item=past.calls / past.items,
        basis=f"answers as in the last {past.calls:,} calls",
    )
