"""For tests of themes, prompts and settings: servers that answer what you say, traffic, and a database to put it in.

A test gives the answers, and looks at what was asked:

>>> from llma_assets.models import OpenAIChat
>>> from llma_assets.summaries import TextItem, summarise
>>> said = {"title": "Asks for a refund", "bullets": ["The kettle is broken"]}
>>> with ChatServer(answer=lambda request: said) as server:
...     chat = OpenAIChat("my-model", api_key="any", base_url=server.url)
...     items = [TextItem("a", "L1: [1] USER\\nL2: My kettle is broken, I want my money back")]
...     prompt = "Say what the user wants."
...     (summary,) = summarise(items, chat, theme_id="wants", prompt=prompt, record=lambda item_id, usage: None)
>>> summary.title, prompt in server.calls()[0].prompt
('Asks for a refund', True)

Nothing here belongs to a pytest plugin, or is used by the rest of the package; docs/testing.md has a whole test.
"""

from llma_assets.testing.alert_servers import (
    AlertServer,
    Answer,
    Hook,
    PagerDutyServer,
    SlackServer,
    SlackWebhookServer,
    WebhookServer,
)
from llma_assets.testing.answers import answer_from_schema, vector_of
from llma_assets.testing.batch_server import BatchServer, Ending, Store
from llma_assets.testing.chat_server import ChatServer
from llma_assets.testing.faults import (
    EMPTY,
    FILTERED,
    INVALID_JSON,
    REFUSAL,
    TRUNCATED,
    WRONG_SCHEMA,
    Content,
    Dribble,
    Fault,
    Garbage,
    Hang,
    RateLimited,
    Reset,
    Said,
    Status,
    Vectors,
)
from llma_assets.testing.github_server import GitHubServer
from llma_assets.testing.linear_server import LinearServer
from llma_assets.testing.mail_server import MailServer
from llma_assets.testing.model_servers import ServerCase, outcome_of, server_cases
from llma_assets.testing.personal_values import IMPERSONAL_SENTENCES, PERSONAL_VALUES
from llma_assets.testing.private_values import HARMLESS_VALUES, PRIVATE_VALUES
from llma_assets.testing.quota import Quota
from llma_assets.testing.requests import Request, real_bill
from llma_assets.testing.segments import axis_vector, segment, similar_segments, write_segments
from llma_assets.testing.small_models import SMALL_MODELS, Served, SmallModel, served
from llma_assets.testing.temporary import temporary_database
from llma_assets.testing.texts import numbered_texts, write_texts
from llma_assets.testing.tracker_servers import Asked, TrackerServer
from llma_assets.testing.traffic import day_of_traces, event, trace, write_events
from llma_assets.testing.trials import try_on

__all__ = [
    "EMPTY",
    "FILTERED",
    "HARMLESS_VALUES",
    "IMPERSONAL_SENTENCES",
    "INVALID_JSON",
    "PERSONAL_VALUES",
    "PRIVATE_VALUES",
    "REFUSAL",
    "SMALL_MODELS",
    "TRUNCATED",
    "WRONG_SCHEMA",
    "AlertServer",
    "Answer",
    "Asked",
    "BatchServer",
    "ChatServer",
    "Content",
    "Dribble",
    "Ending",
    "Fault",
    "Garbage",
    "GitHubServer",
    "Hang",
    "Hook",
    "LinearServer",
    "MailServer",
    "PagerDutyServer",
    "Quota",
    "RateLimited",
    "Request",
    "Reset",
    "Said",
    "Served",
    "ServerCase",
    "SlackServer",
    "SlackWebhookServer",
    "SmallModel",
    "Status",
    "Store",
    "TrackerServer",
    "Vectors",
    "WebhookServer",
    "answer_from_schema",
    "axis_vector",
    "day_of_traces",
    "event",
    "numbered_texts",
    "outcome_of",
    "real_bill",
    "segment",
    "served",
    "server_cases",
    "similar_segments",
    "temporary_database",
    "trace",
    "try_on",
    "vector_of",
    "write_events",
    "write_segments",
    "write_texts",
]
