"""Whether a run's models are there: found out for nothing where a server has a list, and said in one line."""

import pytest

from llma_assets.models import ModelConfigurationError, chat_model, embedder, require_models, shutdown_date
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer, Fault, Request, Said, Status

UNKNOWN = Status(404, "The model `gpt-4.1-nano` does not exist", code="model_not_found")


def settings(server: ChatServer, **variables: str) -> Settings:
    return Settings.from_env({"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-secret-1", **variables})


def unknown(request: Request) -> Fault:
    return UNKNOWN if request.body["model"] == "gpt-4.1-nano" else None


def test_models_that_the_server_lists_are_asked_nothing() -> None:
    with ChatServer() as server:
        require_models(settings(server))
        assert {request.path for request in server.requests} == {"/v1/models"}


def test_models_that_are_listed_nowhere_are_asked_one_question_each() -> None:
    with ChatServer(models=()) as server:
        require_models(settings(server))
        assert (len(server.calls()), len(server.calls("/v1/embeddings"))) == (1, 1)


def test_a_model_that_the_server_does_not_know_is_named_in_one_line_with_what_there_is() -> None:
    with ChatServer(judge=unknown, models=[{"id": "gpt-6-luna"}, {"id": "gpt-6.1-sol"}]) as server:
        with pytest.raises(ModelConfigurationError) as caught:
            require_models(settings(server, LLMA_CHAT_MODEL="gpt-4.1-nano"))
        assert len(server.calls()) == 1
    assert str(caught.value) == (
        "LLMA_CHAT_MODEL is 'gpt-4.1-nano': 127.0.0.1 does not know the model 'gpt-4.1-nano'; "
        "it offers gpt-6.1-sol, gpt-6-luna"
    )


def test_an_embedding_model_that_the_server_does_not_know_is_named_with_its_variable() -> None:
    models = [{"id": "gpt-6-luna"}]
    with ChatServer(judge=unknown, models=models) as server, pytest.raises(ModelConfigurationError) as caught:
        require_models(settings(server, LLMA_EMBEDDING_MODEL="gpt-4.1-nano", LLMA_CHAT_MODEL="offline"))
    assert str(caught.value).startswith("LLMA_EMBEDDING_MODEL is 'gpt-4.1-nano': 127.0.0.1 does not know")


def test_a_long_list_is_shortened() -> None:
    models = [{"id": f"model-{n}"} for n in range(200)] + [{"id": "x\x1b[2J"}, {"id": 7}, {}]
    with ChatServer(judge=unknown, models=models) as server, pytest.raises(ModelConfigurationError) as caught:
        require_models(settings(server, LLMA_CHAT_MODEL="gpt-4.1-nano"))
    assert str(caught.value).endswith("and 194 others")
    assert "\x1b" not in str(caught.value)


def test_a_wrong_key_is_found_out_too() -> None:
    with ChatServer(always=Status(401)) as server, pytest.raises(ModelConfigurationError, match="OPENAI_API_KEY"):
        require_models(settings(server))


def test_a_key_that_may_not_read_the_list_may_ask_all_the_same() -> None:
    with ChatServer(models=[{"id": "another"}]) as server:
        require_models(settings(server))


@pytest.mark.parametrize("fault", [Status(503), Said(429, {"error": {"message": "slow down"}})])
def test_a_server_that_is_away_or_busy_is_no_error(fault: Fault) -> None:
    with ChatServer(always=fault) as server:
        require_models(settings(server))


def test_offline_models_need_no_server() -> None:
    require_models(Settings.from_env({}))


@pytest.mark.parametrize(
    "member",
    [
        {"shutdown_date": "2027-03-01"},
        {"deprecation": "2027-03-01T12:00:00Z"},
        {"deprecation": {"fine_tune": 1, "inference": 1803859200}},
        {"expiration_date": "2027-03-01"},
    ],
)
def test_the_server_says_when_a_model_goes(member: dict[str, object]) -> None:
    with ChatServer(models=[{"id": "gpt-6-luna", **member}]) as server:
        found = shutdown_date(chat_model(settings(server)))
    assert str(found) == "2027-03-01"


@pytest.mark.parametrize("member", [{"shutdown_date": None}, {"shutdown_date": "soon"}, {"deprecation": [1]}, {}])
def test_a_server_that_says_nothing_usable_leaves_it_to_the_price_list(member: dict[str, object]) -> None:
    with ChatServer(models=[{"id": "gpt-4.1-mini", **member}, {"id": "text-embedding-3-small"}]) as server:
        chosen = settings(server, LLMA_CHAT_MODEL="gpt-4.1-mini", LLMA_EMBEDDING_MODEL="text-embedding-3-small")
        assert str(shutdown_date(chat_model(chosen))) == "2027-01-14"
        assert shutdown_date(embedder(chosen)) is None
