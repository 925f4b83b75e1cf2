"""What can go wrong with a request, as errors that become a page or a JSON document of RFC 9457."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from llma_assets.clickhouse import DatabaseError, DatabaseUnavailable, NoDatabase

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict with what is stored",
    413: "Too large",
    422: "Invalid input",
    428: "A condition is needed",
    500: "Something went wrong",
    503: "The database is away",
}


SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and what to do."},
        "field": {"type": "string", "description": "Of what was sent, the part that is wrong."},
    },
    "required": ["title", "status", "detail"],
}
DESCRIBED: dict[int | str, dict[str, Any]] = {
    status: {"description": TITLES[status], "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
    for status in (400, 401, 403, 404, 409, 422, 428, 503)
}
"""The problems in the description of the API."""


class WebProblem(Exception):
    """A request that cannot be answered.

    Attributes:
        status: of HTTP.
        detail: what is wrong and what to do, for people.
        more: further members of the JSON document.
    """

    status = 400

    def __init__(self, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.more = more


class SignInNeeded(WebProblem):
    """Nobody is known who asks."""

    status = 401


class Forbidden(WebProblem):
    """The visitor may not do that."""

    status = 403


class NotFound(WebProblem):
    """There is no such thing; `near` holds what there is, as pairs of words and addresses."""

    status = 404


class Conflict(WebProblem):
    """What is stored forbids the change, or was changed since; `stored` and `sent` hold both versions."""

    status = 409


class PreconditionNeeded(WebProblem):
    """The change does not say which state of the thing it stands on."""

    status = 428


class InvalidInput(WebProblem):
    """A field is wrong."""

    status = 422


def problem_of(error: Exception) -> WebProblem:
    """The problem that an exception means to whoever asked; nothing of an unexpected one is shown."""
    if isinstance(error, WebProblem):
        return error
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part not in ("query", "path", "body"))
        problem: WebProblem = InvalidInput(f"{place}: {first['msg']}", field=place)
    elif isinstance(error, HTTPException):
        problem = WebProblem(str(error.detail) if error.status_code != 404 else "there is no page at this address")
        problem.status = error.status_code
    elif isinstance(error, NoDatabase | DatabaseUnavailable) or (isinstance(error, DatabaseError) and error.retryable):
        problem = WebProblem(str(error))
        problem.status = 503
    else:
        problem = WebProblem("the server's log says what went wrong")
        problem.status = 500
    return problem


def wants_json(request: Request) -> bool:
    """Whether a program asks, which is not sent to the sign-in page."""
    return request.url.path.startswith("/api/") or request.url.path == "/metrics"


def as_json(problem: WebProblem) -> Response:
    """The problem as RFC 9457 has it."""
    document = {"title": TITLES.get(problem.status, "Error"), "status": problem.status, "detail": problem.detail}
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    headers |= {"Retry-After": "5"} if problem.status == 503 else {}
    return JSONResponse({**document, **problem.more}, problem.status, headers, MEDIA_TYPE)


def to_sign_in(request: Request) -> Response:
    """Where a page sends somebody who is not known."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?{urlencode({'next': target})}", 303)
