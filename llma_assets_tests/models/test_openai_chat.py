"""What OpenAIChat makes of each thing that a server can do, over real HTTP."""

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest
from pydantic import BaseModel

from llma_assets.models import (
    ChatMessage,
    InvalidAnswer,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
    OpenAIChat,
    RetryPolicy,
    Usage,
)
from llma_assets.testing import (
    EMPTY,
    FILTERED,
    INVALID_JSON,
    REFUSAL,
    TRUNCATED,
    WRONG_SCHEMA,
    ChatServer,
    Content,
    Dribble,
    Fault,
    Garbage,
    Hang,
    RateLimited,
    Request,
    Reset,
    Said,
    Status,
)
from llma_assets.testing.bodies import SERVED_MODEL

KEY = "sk-very-secret-0123456789"
PROMPT = (ChatMessage("system", "Answer in JSON."), ChatMessage("user", "Where does the traveller go?"))


class City(BaseModel):
    """Where the traveller goes."""

    title: str
    visits: int


GOOD = Content('{"title": "Oslo", "visits": 2}')


@dataclass
class Waits:
    """A clock that moves only when a caller sleeps."""

    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def now(self) -> float:
        return sum(self.slept)

    def policy(self, **changes: float) -> RetryPolicy:
        return RetryPolicy(**{"deadline_s": 60.0, **changes}, sleep=self.sleep, clock=self.now, jitter=lambda: 0.5)  # type: ignore[arg-type]


IMPATIENT = RetryPolicy(attempts=2, deadline_s=0.6, attempt_timeout_s=0.2, first_delay_s=0.01)


def ask(server: ChatServer, policy: RetryPolicy | None = None, model: str = "gpt-6-luna") -> tuple[City, list[Usage]]:
    usage: list[Usage] = []
    chat = OpenAIChat(model, api_key=KEY, base_url=server.url, policy=policy or Waits().policy())
    return chat.complete(PROMPT, City, offline=never, record=usage.append).value, usage


def never() -> City:
    raise AssertionError("a network model never computes the offline answer")


def failure(server: ChatServer, policy: RetryPolicy | None = None) -> tuple[ModelError, list[Usage]]:
    usage: list[Usage] = []
    chat = OpenAIChat("gpt-6-luna", api_key=KEY, base_url=server.url, policy=policy or Waits().policy())
    with pytest.raises(ModelError) as caught:
        chat.complete(PROMPT, City, offline=never, record=usage.append)
    return caught.value, usage


def test_an_answer_comes_back_as_the_object_that_was_asked_for() -> None:
    with ChatServer(always=GOOD) as server:
        city, usage = ask(server)
    assert city == City(title="Oslo", visits=2)
    assert [u.error for u in usage] == [""]


def test_a_strict_schema_with_every_field_is_sent() -> None:
    with ChatServer(always=GOOD) as server:
        ask(server)
        (request,) = server.calls()
    wanted = request.body["response_format"]["json_schema"]
    assert wanted["strict"] is True
    assert wanted["schema"]["additionalProperties"] is False
    assert wanted["schema"]["required"] == ["title", "visits"]
    assert set(wanted["schema"]["properties"]) == {"title", "visits"}
    assert request.body["temperature"] == 0
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_usage_holds_tokens_cost_and_the_name_that_the_server_gave() -> None:
    with ChatServer(always=GOOD) as server:
        _, (usage,) = ask(server)
        (request,) = server.calls()
    assert usage.model == SERVED_MODEL
    assert usage.input_tokens == len(request.prompt) // 4
    assert usage.output_tokens == len(GOOD.text or "") // 4
    assert usage.cost_usd == pytest.approx((usage.input_tokens * 0.1 + usage.output_tokens * 0.5) / 1e6)
    assert 0 < usage.duration_s < 5


def test_an_unknown_model_has_tokens_and_no_cost() -> None:
    with ChatServer(always=GOOD) as server:
        _, (usage,) = ask(server, model="my-own-model")
    assert usage.input_tokens > 0
    assert usage.cost_usd is None


def test_a_server_that_tells_no_usage_is_recorded_without_tokens_and_cost() -> None:
    with ChatServer(always=Content(GOOD.text, usage=False)) as server:
        _, (usage,) = ask(server)
    assert (usage.input_tokens, usage.output_tokens, usage.cost_usd) == (0, 0, None)


def test_429_waits_as_long_as_the_server_says() -> None:
    waits = Waits()
    with ChatServer(faults=[RateLimited("7")], always=GOOD) as server:
        _, usage = ask(server, waits.policy())
    assert waits.slept == [pytest.approx(7, abs=0.3)]
    assert [u.error for u in usage] == ["rate_limited", ""]


def test_retry_after_may_be_a_date_or_milliseconds() -> None:
    waits = Waits()
    date = Status(503, headers={"Retry-After": formatdate(time.time() + 20, usegmt=True)})
    exact = Status(429, headers={"Retry-After-Ms": "1500"})
    with ChatServer(faults=[date, exact], always=GOOD) as server:
        ask(server, waits.policy())
    until_date, exact_s = waits.slept
    assert 5 < until_date <= 20.5, "the rest of twenty seconds: a busy machine takes some to answer"
    assert exact_s == pytest.approx(1.5, abs=0.3)


def test_the_wait_of_retry_after_is_real() -> None:
    with ChatServer(faults=[RateLimited("1")], always=GOOD) as server:
        started = time.monotonic()
        ask(server, RetryPolicy())
        assert time.monotonic() - started >= 1.0


def test_a_wish_to_wait_past_the_deadline_is_not_waited_for() -> None:
    waits = Waits()
    with ChatServer(always=RateLimited("3600")) as server:
        error, usage = failure(server, waits.policy())
    assert isinstance(error, ModelUnavailable)
    assert error.retry_after_s == 3600
    assert (waits.slept, len(usage)) == ([], 1)


@pytest.mark.parametrize("status", [500, 502, 503, 529, 408, 409])
def test_a_server_error_is_tried_again(status: int) -> None:
    with ChatServer(faults=[Status(status), Status(status)], always=GOOD) as server:
        city, usage = ask(server)
    assert city.title == "Oslo"
    assert len(usage) == 3


def test_waits_grow_and_are_jittered() -> None:
    waits = Waits()
    with ChatServer(always=Status(500)) as server:
        error, usage = failure(server, waits.policy(attempts=4))
    assert isinstance(error, ModelUnavailable)
    assert waits.slept == [0.375, 0.75, 1.5]
    assert [u.error for u in usage] == ["server_error"] * 4


def test_no_answer_at_all_ends_at_the_deadline() -> None:
    with ChatServer(always=Hang()) as server:
        started = time.monotonic()
        error, usage = failure(server, IMPATIENT)
        took_s = time.monotonic() - started
    assert isinstance(error, ModelUnavailable)
    assert {u.error for u in usage} == {"timeout"}
    assert took_s < 60  # the server would never answer


def test_a_server_that_sends_a_byte_now_and_then_ends_at_the_deadline_too() -> None:
    with ChatServer(always=Dribble()) as server:
        started = time.monotonic()
        error, _ = failure(server, IMPATIENT)
        took_s = time.monotonic() - started
    assert (error.kind, took_s < 60) == ("timeout", True)


def test_a_hanging_server_shuts_down_fast() -> None:
    with ChatServer(always=Hang()) as server:
        failure(server, IMPATIENT)
        started = time.monotonic()
    assert time.monotonic() - started < 60


def test_a_reset_connection_is_tried_again() -> None:
    with ChatServer(faults=[Reset()], always=GOOD) as server:
        city, usage = ask(server)
    assert city.title == "Oslo"
    assert [u.error for u in usage] == ["connection", ""]


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with ChatServer() as server:
        pass
    error, usage = failure(server)
    assert isinstance(error, ModelUnavailable)
    assert len(usage) == 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status(401, code="invalid_api_key"), "bad_key"),
        (Status(403), "forbidden"),
        (Status(404, code="model_not_found"), "not_found"),
        (Status(402), "no_credit"),
        (Status(429, code="insufficient_quota"), "no_credit"),
        (Status(400, code="invalid_value", param="model"), "not_found"),
        (Status(405), "not_found"),
        (Status(418), "configuration"),
    ],
)
def test_what_fails_for_every_item_stops_at_once(status: Status, kind: str) -> None:
    with ChatServer(always=status) as server:
        error, usage = failure(server)
    assert isinstance(error, ModelConfigurationError)
    assert (error.kind, [u.error for u in usage]) == (kind, [kind])


def test_a_wrong_path_in_the_url_is_a_configuration_error() -> None:
    with ChatServer() as server:
        chat = OpenAIChat("m", base_url=server.url + "/nowhere")
        with pytest.raises(ModelConfigurationError, match="OPENAI_BASE_URL"):
            chat.complete(PROMPT, City, offline=never)


@pytest.mark.parametrize("url", ["localhost:80/v1", "ftp://host/v1", "http://", "http://[bad", "http://h:99999/v1"])
def test_an_unusable_url_is_refused_at_the_door(url: str) -> None:
    with pytest.raises(ModelConfigurationError, match="OPENAI_BASE_URL"):
        OpenAIChat("m", base_url=url)


@pytest.mark.parametrize("key", ["sk-a\nb", "sk a", "schlüssel"])
def test_an_unusable_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ModelConfigurationError) as caught:
        OpenAIChat("m", api_key=key)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(TRUNCATED, "length"), (REFUSAL, "refusal"), (FILTERED, "refusal")],
)
def test_a_truncated_or_refused_answer_costs_the_item_without_a_second_call(fault: Fault, kind: str) -> None:
    with ChatServer(always=fault) as server:
        error, usage = failure(server)
    assert isinstance(error, InvalidAnswer)
    assert (error.kind, [u.error for u in usage]) == (kind, [kind])
    assert usage[0].input_tokens > 0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (EMPTY, "empty"),
        (Content(None), "empty"),
        (INVALID_JSON, "invalid_json"),
        (WRONG_SCHEMA, "schema"),
        (Content("[1, 2]"), "invalid_json"),
        (Garbage(), "garbage"),
        (Garbage(b"{}", "application/json"), "garbage"),
        (Garbage(b"\xff\xfe", "application/json"), "garbage"),
        (Garbage(b'{"choices": []}', "application/json"), "garbage"),
        (Content(None, message={"reasoning_content": 'perhaps {"title": "Oslo", "visits": 2}'}), "empty"),
        (Content([{"type": "image_url"}]), "empty"),
        (Content("<think>{}</think>"), "empty"),
        (Garbage(b"", "application/json"), "garbage"),
    ],
)
def test_an_unusable_answer_is_asked_for_once_more_and_then_given_up(fault: Fault, kind: str) -> None:
    with ChatServer(always=fault) as server:
        error, usage = failure(server)
    assert isinstance(error, InvalidAnswer)
    assert (error.kind, [u.error for u in usage]) == (kind, [kind, kind])


@pytest.mark.parametrize("fault", [EMPTY, INVALID_JSON, WRONG_SCHEMA, Garbage()])
def test_one_repair_is_enough_when_the_second_answer_is_good(fault: Fault) -> None:
    with ChatServer(faults=[fault], always=GOOD) as server:
        city, usage = ask(server)
    assert city.title == "Oslo"
    assert [bool(u.error) for u in usage] == [True, False]


def test_the_repair_says_what_was_wrong() -> None:
    with ChatServer(faults=[Content('{"title": "Oslo", "visits": "many"}')], always=GOOD) as server:
        ask(server)
        repair = server.calls()[1].body["messages"]
    assert repair[-2] == {"role": "assistant", "content": '{"title": "Oslo", "visits": "many"}'}
    assert "visits: int_parsing" in repair[-1]["content"]
    assert '"required": ["title", "visits"]' in repair[-1]["content"]


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"title": "Oslo", "visits": 2}\n```',
        'Here you are: {"title": "Oslo", "visits": 2} Good luck!',
        '<think>{"title": "no"}</think>{"title": "Oslo", "visits": 2}',
    ],
)
def test_json_with_prose_around_it_is_read(text: str) -> None:
    with ChatServer(always=Content(text)) as server:
        city, usage = ask(server)
    assert (city.title, len(usage)) == ("Oslo", 1)


@pytest.mark.parametrize(
    "content",
    [
        Content(GOOD.text, finish_reason="length"),
        Content([{"type": "text", "text": '{"title": "Oslo", '}, {"type": "text", "text": '"visits": 2}'}]),
        Content(None, "tool_calls", message={"tool_calls": [{"function": {"name": "City", "arguments": GOOD.text}}]}),
        Content(None, message={"reasoning_content": GOOD.text}),
        Content("", message={"reasoning": GOOD.text}),
        Content('I try {"title": 1} first.</think>{"title": "Oslo", "visits": 2}'),
        Content('First {"idea": 1}, and then {"title": "Oslo", "visits": 2}'),
    ],
    ids=repr,
)
def test_the_object_is_found_wherever_a_server_puts_it(content: Content) -> None:
    with ChatServer(always=content) as server:
        city, usage = ask(server)
    assert (city, len(usage)) == (City(title="Oslo", visits=2), 1)


def test_a_refusal_among_the_parts_is_a_refusal() -> None:
    with ChatServer(always=Content([{"type": "refusal", "refusal": "no"}])) as server:
        error, usage = failure(server)
    assert (error.kind, len(usage)) == ("refusal", 1)


def test_thoughts_that_were_cut_off_are_no_answer() -> None:
    cut = Content(None, finish_reason="length", message={"reasoning_content": "well, let me"})
    with ChatServer(always=cut) as server:
        error, usage = failure(server)
    assert (error.kind, len(usage)) == ("length", 1)


@pytest.mark.parametrize(
    ("body", "kind", "calls"),
    [
        ({"error": {"code": 429, "message": "slow down"}}, "rate_limited", 4),
        ({"error": {"code": 502, "message": "upstream"}, "choices": []}, "server_error", 4),
        ({"error": {"message": "overloaded"}}, "server_error", 4),
        (
            {"choices": [{"error": {"code": 502}, "message": {"content": ""}, "finish_reason": "error"}]},
            "server_error",
            4,
        ),
        ({"error": {"code": "401"}}, "bad_key", 1),
        ([{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}], "bad_key", 1),
    ],
)
def test_a_failure_with_status_200_is_what_it_is_with_its_own_status(body: object, kind: str, calls: int) -> None:
    with ChatServer(always=Said(200, body)) as server:
        error, usage = failure(server)
    assert isinstance(error, ModelUnavailable | ModelConfigurationError)
    assert (error.kind, [u.error for u in usage]) == (kind, [kind] * calls)


def test_a_failure_with_status_200_is_tried_again() -> None:
    busy = Said(200, {"error": {"code": 502, "message": "upstream"}})
    with ChatServer(faults=[busy, busy], always=GOOD) as server:
        city, usage = ask(server)
    assert (city.title, len(usage)) == ("Oslo", 3)


def test_what_a_server_refuses_with_status_200_is_left_out_and_that_is_remembered() -> None:
    def judge(request: Request) -> Fault:
        said = {"error": {"message": "Unknown parameter: 'response_format'", "code": 400}}
        return Said(200, said) if "response_format" in request.body else None

    with ChatServer(judge=judge) as server:
        chat = OpenAIChat("m", base_url=server.url)
        for _ in range(2):
            chat.complete(PROMPT, City, offline=never)
        assert len(server.calls()) == 5
    assert chat.structured_mode == "text"


def test_a_good_answer_beside_a_warning_is_an_answer() -> None:
    body = {"error": {"message": "slow"}, "choices": [{"message": {"content": GOOD.text}}]}
    with ChatServer(always=Said(200, body)) as server:
        assert ask(server)[0].title == "Oslo"


def test_a_prompt_larger_than_a_minutes_tokens_is_too_long_and_not_tried_again() -> None:
    said = "Request too large for gpt-6-luna on tokens per min (TPM): Limit 30000, Requested 90000."
    with ChatServer(always=Status(429, said, code="rate_limit_exceeded")) as server:
        error, usage = failure(server)
    assert isinstance(error, InvalidAnswer)
    assert (error.kind, len(usage)) == ("too_long", 1)


def refuses(word: str, *modes: str) -> Callable[[Request], Fault]:
    """A server that answers 400 where a request uses one of these response formats."""

    def judge(request: Request) -> Fault:
        wanted = request.body.get("response_format") or {}
        used = "json_object_schema" if "schema" in wanted else wanted.get("type")
        return Status(400, f"{word} is not supported by this server") if used in modes else None

    return judge


@pytest.mark.parametrize(
    ("refused", "mode"),
    [
        (("json_schema",), "json_object_schema"),
        (("json_schema", "json_object_schema"), "json_object"),
        (("json_schema", "json_object_schema", "json_object"), "text"),
    ],
)
def test_a_server_without_schemas_is_asked_in_its_own_way_and_that_is_remembered(
    refused: tuple[str, ...], mode: str
) -> None:
    with ChatServer(judge=refuses("response_format", *refused)) as server:
        chat = OpenAIChat("m", base_url=server.url)
        first = chat.complete(PROMPT, City, offline=never).value
        calls_before = len(server.calls())
        chat.complete(PROMPT, City, offline=never)
        assert len(server.calls()) == calls_before + 1
        last = server.calls()[-1]
    assert chat.structured_mode == mode
    assert isinstance(first, City)
    assert '"required": ["title", "visits"]' in last.body["messages"][0]["content"]
    assert (last.body.get("response_format") or {"type": "text"})["type"] == mode.removesuffix("_schema")


def test_a_server_that_answers_500_to_a_format_that_it_does_not_know_is_asked_in_another() -> None:
    """llama.cpp's Python server does; another 500 is tried again as it is."""

    def judge(request: Request) -> Fault:
        unknown = Status(500, "{'loc': ('body', 'response_format', 'type'), 'msg': 'Input should be json_object'}")
        return unknown if request.body.get("response_format", {}).get("type") == "json_schema" else None

    with ChatServer(judge=judge) as server:
        chat = OpenAIChat("m", base_url=server.url)
        assert isinstance(chat.complete(PROMPT, City, offline=never).value, City)
        assert len(server.calls()) == 2
    assert chat.structured_mode == "json_object_schema"


def test_a_model_that_refuses_a_temperature_is_asked_without() -> None:
    def judge(request: Request) -> Fault:
        unsupported = Status(400, "Unsupported value: 'temperature' does not support 0", param="temperature")
        return unsupported if "temperature" in request.body else GOOD

    with ChatServer(judge=judge) as server:
        chat = OpenAIChat("m", base_url=server.url)
        chat.complete(PROMPT, City, offline=never)
        chat.complete(PROMPT, City, offline=never)
        assert ["temperature" in request.body for request in server.calls()] == [True, False, False]
    assert chat.structured_mode == "json_schema"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status(400, "maximum context length is 8192 tokens", code="context_length_exceeded"), "too_long"),
        (Status(413), "rejected"),
        (Status(400, "flagged", code="content_filter"), "refusal"),
        (Status(422), "rejected"),
    ],
)
def test_a_request_that_is_refused_costs_that_item_alone(status: Status, kind: str) -> None:
    usage: list[Usage] = []
    with ChatServer(faults=[GOOD, status], always=GOOD) as server:
        chat = OpenAIChat("m", base_url=server.url, policy=Waits().policy())
        chat.complete(PROMPT, City, offline=never)
        with pytest.raises(InvalidAnswer) as caught:
            chat.complete(PROMPT, City, offline=never, record=usage.append)
        chat.complete(PROMPT, City, offline=never)
    assert (caught.value.kind, len(usage)) == (kind, 1)


@pytest.mark.parametrize(
    "fault",
    [
        Status(401, f"Incorrect API key provided: {KEY}"),
        Status(400, f"bad request, headers: Authorization: Bearer {KEY}"),
        Status(500, f"crashed with {KEY}"),
        Content(f"oops {KEY}"),
        Content(json.dumps({KEY: 1, "title": "x"})),
        Content(None, refusal=f"no {KEY}"),
        Garbage(f"<pre>{KEY}</pre>".encode()),
        Reset(),
        Hang(),
    ],
)
def test_no_error_repr_or_log_shows_the_key_or_the_servers_words(
    fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with ChatServer(always=fault) as server:
        error, usage = failure(server, IMPATIENT)
        chat = OpenAIChat("m", api_key=KEY, base_url=server.url)
    shown: list[object] = [str(error), repr(error), repr(error.__cause__), repr(chat), usage, caplog.text]
    assert KEY not in " ".join(map(str, shown))


def test_a_password_in_the_servers_url_is_refused_because_http_logs_show_urls() -> None:
    with pytest.raises(ModelConfigurationError, match="OPENAI_API_KEY") as caught:
        OpenAIChat("m", base_url="https://me:pass-word@example.test/v1")
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://example.test/v1?key=pass-word", "https://example.test/v1#pass-word"])
def test_a_query_in_the_servers_url_is_refused_for_the_same_reason(url: str) -> None:
    with pytest.raises(ModelConfigurationError, match="OPENAI_API_KEY") as caught:
        OpenAIChat("m", base_url=url)
    assert "pass-word" not in str(caught.value)


def test_the_librarys_environment_does_not_send_a_key_to_a_server_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ChatServer(always=GOOD) as server:
        OpenAIChat("m", base_url=server.url).complete(PROMPT, City, offline=never)
        assert KEY not in server.calls()[0].headers["authorization"]


def test_one_client_serves_many_threads() -> None:
    seen: list[Usage] = []
    lock = threading.Lock()

    def record(usage: Usage) -> None:
        with lock:
            seen.append(usage)

    with ChatServer(always=None, answer=lambda _: GOOD.text or "", latency_s=0.05) as server:
        chat = OpenAIChat("m", base_url=server.url)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: chat.complete(PROMPT, City, offline=never, record=record), range(24)))
        assert server.most_at_once > 1
    assert len(answers) == len(seen) == 24


def test_a_closed_client_opens_again() -> None:
    with ChatServer(always=GOOD) as server:
        chat = OpenAIChat("m", base_url=server.url)
        chat.complete(PROMPT, City, offline=never)
        chat.close()
        assert chat.complete(PROMPT, City, offline=never).value.title == "Oslo"


def roles(server: ChatServer) -> list[list[str]]:
    return [[message["role"] for message in request.body["messages"]] for request in server.calls()]


@pytest.mark.parametrize("mode", ["json_schema", "json_object_schema", "json_object", "text"])
def test_there_is_one_system_message_and_roles_alternate_in_every_mode(mode: str) -> None:
    modes = ["json_schema", "json_object_schema", "json_object"]
    refused = modes[: modes.index(mode)] if mode in modes else modes
    with ChatServer(
        judge=refuses("response_format", *refused), faults=[None] * len(refused) + [INVALID_JSON]
    ) as server:
        chat = OpenAIChat("m", base_url=server.url)
        chat.complete(PROMPT, City, offline=never)
        last, repair = roles(server)[-2:]
    assert chat.structured_mode == mode
    assert last == ["system", "user"]
    assert repair == ["system", "user", "assistant", "user"]


def no_system(request: Request) -> Fault:
    has_one = any(message["role"] == "system" for message in request.body["messages"])
    return Status(400, "System role not supported") if has_one else None


def test_a_model_without_a_system_role_is_told_before_the_question_and_that_is_remembered() -> None:
    with ChatServer(judge=no_system, faults=[None, INVALID_JSON]) as server:
        chat = OpenAIChat("m", base_url=server.url)
        for _ in range(2):
            chat.complete(PROMPT, City, offline=never)
        assert roles(server) == [["system", "user"], ["user"], ["user", "assistant", "user"], ["user"]]
        told = server.calls()[1].body["messages"][0]["content"]
    assert told == "Answer in JSON.\n\nWhere does the traveller go?"


def test_what_is_learned_of_a_model_holds_for_all_who_ask_it_at_its_server_and_for_no_other_model() -> None:
    with ChatServer(judge=no_system) as server:
        first = OpenAIChat("m", base_url=server.url)
        first.complete(PROMPT, City, offline=never)
        OpenAIChat("m", server=first.server).complete(PROMPT, City, offline=never)
        assert len(server.calls()) == 3
        OpenAIChat("another", server=first.server).complete(PROMPT, City, offline=never)
        assert len(server.calls()) == 5


def silent(*parts: str) -> Callable[[Request], Fault]:
    """A server that refuses these parts without a word."""

    def judge(request: Request) -> Fault:
        roles = [message["role"] for message in request.body["messages"]]
        used = {*request.body, *(["system"] if "system" in roles else [])}
        return Said(400, "Bad Request", "text/plain") if used & set(parts) else None

    return judge


@pytest.mark.parametrize(
    "parts",
    [
        ("reasoning_effort",),
        ("max_completion_tokens",),
        ("temperature",),
        ("system",),
        ("response_format",),
        ("response_format", "temperature", "max_completion_tokens", "max_tokens", "system"),
    ],
)
def test_a_refusal_without_a_word_is_answered_by_leaving_out_one_part_after_another(parts: tuple[str, ...]) -> None:
    with ChatServer(judge=silent(*parts)) as server:
        chat = OpenAIChat("gpt-6-luna", base_url=server.url)
        chat.complete(PROMPT, City, offline=never)
        assert len(server.calls()) <= 8
        before = len(server.calls())
        chat.complete(PROMPT, City, offline=never)
        assert len(server.calls()) == before + 1
        last = server.calls()[-1].body
    kept = {"reasoning_effort", "temperature", "response_format"} - set(parts)
    assert kept <= last.keys() or len(parts) > 1


def test_many_callers_of_such_a_server_look_for_the_form_once() -> None:
    with ChatServer(judge=silent("response_format"), latency_s=0.02) as server:
        chat = OpenAIChat("m", base_url=server.url)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: chat.complete(PROMPT, City, offline=never), range(24)))
        assert len(answers) == 24
        assert len(server.calls()) <= 24 + 8 + 8


def test_a_server_that_refuses_everything_without_a_word_is_not_searched_for_each_prompt() -> None:
    with ChatServer(always=Status(400, "no")) as server:
        chat = OpenAIChat("m", base_url=server.url)
        for _ in range(12):
            with pytest.raises(InvalidAnswer):
                chat.complete(PROMPT, City, offline=never)
        assert len(server.calls()) <= 12 + 2 * 7
    assert chat.structured_mode == "json_schema"


def test_what_was_said_is_kept_for_who_redacts_it_without_the_key() -> None:
    with ChatServer(always=Status(401, f"no such key: {KEY}")) as server:
        error, _ = failure(server)
    assert error.said == "no such key: [key]"
    assert "no such key" not in f"{error} {error!r}"
    with ChatServer(always=Content("sorry, no JSON today")) as server:
        error, _ = failure(server)
    assert error.said == "sorry, no JSON today"


def test_a_prompt_without_room_for_the_limit_of_its_answer_is_asked_without_and_the_next_one_with_it() -> None:
    long = (ChatMessage("user", "a long prompt"),)

    def judge(request: Request) -> Fault:
        limited = {"max_tokens", "max_completion_tokens"} & request.body.keys()
        words = "max_tokens and max_completion_tokens exceed the context limit: 4000 + 4096 > 8000"
        return Status(400, words) if limited and "long" in request.prompt else None

    with ChatServer(judge=judge) as server:
        chat = OpenAIChat("m", base_url=server.url)
        for prompt in (PROMPT, long, PROMPT):
            chat.complete(prompt, City, offline=never)
        limits = [sorted({"max_tokens", "max_completion_tokens"} & r.body.keys()) for r in server.calls()]
    assert limits == [
        ["max_completion_tokens"],
        ["max_completion_tokens"],
        ["max_tokens"],
        [],
        ["max_completion_tokens"],
    ]
