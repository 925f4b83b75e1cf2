"""A question goes out as the openai library would send it, and fails with its errors."""

import openai
import pytest

from llma_assets.models.direct_post import direct_post
from llma_assets.testing import ChatServer, Content, Status

BODY = b'{"model": "m", "messages": [{"role": "user", "content": "Oslo?"}]}'


def client_of(server: ChatServer) -> tuple[openai.OpenAI, openai.DefaultHttpxClient]:
    http = openai.DefaultHttpxClient()
    return openai.OpenAI(api_key="a-key", base_url=server.url, max_retries=0, http_client=http), http


def test_the_same_is_sent_as_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-1")
    with ChatServer(always=Content("Yes")) as server:
        client, http = client_of(server)
        with client:
            response = direct_post(client, http, "chat/completions", BODY, 120.0)
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Oslo?"}], timeout=120.0)
        direct, own = server.calls()
    assert response.json()["choices"][0]["message"]["content"] == "Yes"
    assert direct.body == own.body
    told = {"x-stainless-retry-count", "x-stainless-read-timeout", "x-stainless-raw-response"}  # of the library's work
    assert {name: value for name, value in own.headers.items() if name not in told | {"content-length"}} == {
        name: value for name, value in direct.headers.items() if name != "content-length"
    }
    assert direct.headers["authorization"] == "Bearer a-key"
    assert (direct.headers["openai-organization"], direct.headers["openai-project"]) == ("org-1", "project-1")


@pytest.mark.parametrize("status", [304, 400, 429, 503])
def test_a_status_that_is_no_success_is_an_error_with_the_answer(status: int) -> None:
    with ChatServer(faults=[Status(status, "no")]) as server:
        client, http = client_of(server)
        with client, pytest.raises(openai.APIStatusError) as raised:
            direct_post(client, http, "chat/completions", BODY, 120.0)
    assert raised.value.status_code == raised.value.response.status_code == status


def test_no_connection_and_no_time_are_the_library_s_errors() -> None:
    with ChatServer(latency_s=1.0) as server:
        client, http = client_of(server)
        with client, pytest.raises(openai.APITimeoutError):
            direct_post(client, http, "chat/completions", BODY, 0.05)
    client, http = client_of(server)
    with client, pytest.raises(openai.APIConnectionError) as raised:
        direct_post(client, http, "chat/completions", BODY, 120.0)
    assert not isinstance(raised.value, openai.APITimeoutError)
