"""One OpenAI-compatible server: its HTTP client, deadlines and retries.

What is sent and what an answer must look like belongs to `openai_chat` and `openai_embedder`; how many calls may be
under way to `throttle`, when a server is down to `circuit_breaker`, and which failure means what to `failures`.

The openai library retries too, honouring Retry-After, but it sleeps past any deadline and does not report
the calls that failed; both matter here, so its retries are off and the loop below makes them.
"""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from llma_assets.models.circuit_breaker import CircuitBreaker
from llma_assets.models.direct_post import direct_post
from llma_assets.models.errors import (
    CallNotMade,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
)
from llma_assets.models.failures import classify, classify_refusal
from llma_assets.models.http_bounds import bounding_hooks
from llma_assets.models.refusals import error_in
from llma_assets.models.retry import RetryPolicy, scarce_s
from llma_assets.models.throttle import Throttle
from llma_assets.models.verdicts import Asked

if TYPE_CHECKING:
    import httpx2
    import openai

C = TypeVar("C")

OPENAI_URL = "https://api.openai.com/v1"

_AWAY = {"connection", "unreachable", "timeout", "server_error"}
"""Kinds of failure that do not tell whether the server is there."""

_PERHAPS_THE_REQUEST = {"server_error", "timeout"}
"""Of these, what a request can bring about by itself."""

_SHORTEST_KEY = 12  # characters; what local servers are given in its place ("none", "EMPTY") is a word of the language
_UNTOLD = 500
"""Status of a failure that came with status 200 and tells none itself."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A body that came with a status below 300."""

    body: bytes
    duration_s: float


class OpenAIServer:
    """Makes calls until one succeeds, a failure is final, or time is up. Safe to use from several threads.

    All callers share what was learned of the server: that it is down, that it wants a pause, that it takes fewer
    calls at once, and how each of its models is asked.
    """

    def __init__(self, *, api_key: str | None, base_url: str | None, policy: RetryPolicy) -> None:
        """
        Raises:
            ModelConfigurationError: the key or the URL cannot be used in an HTTP request.
        """
        self._key = _checked_key(api_key)
        self._url = _checked_url(base_url)
        self.policy = policy
        self._circuit = CircuitBreaker(
            failures=policy.most_failures,
            cool_down_s=policy.cool_down_s,
            probe_s=policy.attempt_timeout_s,
            clock=policy.clock,
        )
        self._throttle = Throttle(clock=policy.clock, sleep=policy.sleep)
        self._client: openai.OpenAI | None = None
        self._http: httpx2.Client | None = None
        self._capabilities: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def capabilities(self, key: Hashable, make: Callable[[], C]) -> C:
        """What was learned of how a model is asked here: one object for all who ask it."""
        with self._lock:
            known: C = self._capabilities.setdefault(key, make())
            return known

    def client(self) -> "openai.OpenAI":
        """The library's client, made on first use."""
        import openai

        with self._lock:
            if self._client is None:
                self._http = openai.DefaultHttpxClient(event_hooks=bounding_hooks())
                self._client = openai.OpenAI(
                    api_key=self._key, base_url=self._url, max_retries=0, http_client=self._http
                )
            return self._client

    def post(self, client: "openai.OpenAI", path: str, content: bytes, timeout_s: float) -> "httpx2.Response":
        """Post JSON in a call of `client`; see `direct_post`."""
        assert self._http is not None  # it comes with the client
        return direct_post(client, self._http, path, content, timeout_s)

    def with_policy(self, **changes: Any) -> "OpenAIServer":
        """The same server on connections of its own, with other values in its `RetryPolicy`."""
        return OpenAIServer(api_key=self._key, base_url=self._url, policy=replace(self.policy, **changes))

    def deadline(self) -> float:
        """When an answer that is asked for now must be there, on the policy's clock. Loading the library is free."""
        self.client()
        return self.policy.clock() + self.policy.deadline_s

    def ask(self, send: Callable[["openai.OpenAI", float], Any]) -> bytes:
        """The body of a call that costs nothing, and so leaves no usage; as for `call`."""
        return self.call(send, deadline=self.deadline(), on_failure=lambda _kind, _duration_s: None).body

    def call(
        self,
        send: Callable[["openai.OpenAI", float], Any],
        *,
        deadline: float,
        on_failure: Callable[[str, float], None],
        attempts: int | None = None,
        is_there: bool = False,
    ) -> Reply:
        """Call `send(client, timeout_s)` until it gives an answer. A failure that comes with status 200 is one, too.

        Args:
            send: makes one HTTP call through `with_raw_response`.
            deadline: when to give up, on the policy's clock.
            on_failure: gets the class of failure and the duration in seconds of each call that failed.
            attempts: HTTP calls at most, None for the policy's.
            is_there: the server has just answered another question: an error is not held against it.

        Raises:
            CallNotMade: the server is down, or wants a pause that ends after the deadline.
            ModelConfigurationError, ModelUnavailable, RequestRejected: see there.
        """
        import openai

        policy, client = self.policy, self.client()
        failure: ModelError | None = None
        attempts = attempts or policy.attempts
        for failures in range(1, attempts + 1):
            try:
                turn = self._begin(deadline)
            except CallNotMade as not_made:
                # Something was sent before: what became of that is the news.
                raise failure or not_made from None
            timeout_s = min(deadline - policy.clock(), policy.attempt_timeout_s)
            started = time.perf_counter()
            try:
                raw = send(client, timeout_s)
                reply = Reply(bytes(raw.content), time.perf_counter() - started)
            except openai.APIError as error:
                failure = classify(error)
            except BaseException:
                self._throttle.ended()
                raise
            else:
                refusal = error_in(reply.body)
                if refusal is None:
                    self._circuit.answered()
                    self._throttle.answered(turn, scarce_s(raw.headers, self._throttle.under_way))
                    return reply
                failure = classify_refusal(refusal.status or _UNTOLD, refusal)
            failure.said = self.without_key(failure.said)
            delay_s = self._delay_s(failure, failures)
            paused = self._note(failure, turn, delay_s, timeout_s, is_there=is_there)
            on_failure(failure.kind, time.perf_counter() - started)
            if not isinstance(failure, ModelUnavailable) or failures == attempts:
                raise failure
            if policy.clock() + delay_s >= deadline:
                raise failure
            if not paused:
                policy.sleep(delay_s)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _begin(self, deadline: float) -> int:
        """Wait for a turn; the call has to be made then."""
        turn = self._throttle.begin(deadline)
        try:
            if self.policy.clock() >= deadline:
                raise ModelUnavailable("no time left to ask the model", kind="deadline")
            wait_s = self._circuit.wait_s()
            if wait_s > 0:
                raise CallNotMade(
                    f"the model's server does not answer; it is not asked for {wait_s:.0f} s",
                    kind="circuit_open",
                    retry_after_s=wait_s,
                )
        except ModelUnavailable:
            self._throttle.ended()
            raise
        return turn

    def _delay_s(self, failure: ModelError, failures: int) -> float:
        """How long to wait before another call, after so many failures of this one."""
        retry_after_s = failure.retry_after_s if isinstance(failure, ModelUnavailable) else None
        if failure.kind == "rate_limited" and retry_after_s is None:
            return self.policy.pause_s(self._throttle.refused_rounds)
        return self.policy.delay_s(failures, retry_after_s)

    def _note(self, failure: ModelError, turn: int, delay_s: float, timeout_s: float, *, is_there: bool) -> bool:
        """Tell the other callers what was learned; whether all of them wait now."""
        if failure.kind not in _AWAY:
            self._circuit.answered()
        elif is_there and failure.kind in _PERHAPS_THE_REQUEST:
            pass
        elif failure.kind != "timeout" or timeout_s >= self.policy.attempt_timeout_s / 2:
            self._circuit.failed()  # a server that was given little time before the deadline may be there all the same
        asked_to_wait = isinstance(failure, ModelUnavailable) and failure.retry_after_s is not None
        if asked_to_wait or failure.kind == "rate_limited":
            self._throttle.refused(turn, delay_s)
            return True
        self._throttle.ended()
        return False

    def without_key(self, said: str) -> str:
        """What the server said, without the key that it may have repeated; a word that stands for none is no key."""
        return said.replace(self._key, "[key]") if len(self._key) >= _SHORTEST_KEY else said

    def asked(self, model: str) -> Asked:
        """A model as it is asked here."""
        return Asked(self._url, self._key, model)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    @property
    def host(self) -> str:
        """Where it is, without anything secret."""
        return urlsplit(self._url).hostname or ""

    def __repr__(self) -> str:
        return f"OpenAIServer(host={self.host!r})"


def _checked_key(key: str | None) -> str:
    if key is None:
        return "no-key"  # a local server takes any; the library wants one
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ModelConfigurationError(
            "OPENAI_API_KEY holds a space, a line break or a non-ASCII character", kind="bad_key"
        )
    return key


def _checked_url(url: str | None) -> str:
    try:
        parts = urlsplit(url or OPENAI_URL)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if usable and parts.username is not None:
        raise ModelConfigurationError(
            "OPENAI_BASE_URL holds a user name or a password; put the key into OPENAI_API_KEY", kind="bad_url"
        )
    if usable and (parts.query or parts.fragment):
        raise ModelConfigurationError(
            "OPENAI_BASE_URL has a query or a fragment; it is the root of the API, and a key goes into OPENAI_API_KEY",
            kind="bad_url",
        )
    if not usable:
        raise ModelConfigurationError("OPENAI_BASE_URL is not an http(s) URL with a host", kind="bad_url")
    return url or OPENAI_URL
