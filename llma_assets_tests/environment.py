"""Variables that a test must not take from whoever runs it."""

SETTINGS = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "LLMA_CHAT_MODEL",
    "LLMA_EMBEDDING_MODEL",
    "LLMA_REASONING_EFFORT",
    "LLMA_EVENTS_TABLE",
    "LLMA_TEAMS_FILE",
    "LLMA_DAILY_BUDGET_USD",
    "LLMA_OLDEST_DAY",
    "LLMA_DEBUG",
    "DAGSTER_HOME",
)
