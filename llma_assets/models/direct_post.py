"""A POST through the HTTP client of the openai library, without what the library does about each request."""

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2
    import openai


def direct_post(
    client: "openai.OpenAI", http: "httpx2.Client", path: str, content: bytes, timeout_s: float
) -> "httpx2.Response":
    """Post JSON with the headers of `client`, on its connections, and raise its errors.

    `client.post` copies, validates and converts options and headers at each call: a third of the CPU of a call.

    Args:
        http: the HTTP client that `client` was given.
        path: below the root of the API, without a slash in front.
        content: JSON in UTF-8.

    Raises:
        openai.APIError: no answer, or one with a status that is no success.
    """
    import httpx2
    import openai

    told = {**client.auth_headers, **client.default_headers}
    request = http.build_request(
        "POST",
        f"{client.base_url}{path}",
        content=content,
        headers={name: value for name, value in told.items() if isinstance(value, str)},
        timeout=timeout_s,
    )
    try:
        response = http.send(request)
    except httpx2.TimeoutException as error:
        raise openai.APITimeoutError(request) from error
    except (httpx2.RequestError, ssl.SSLError) as error:
        raise openai.APIConnectionError(request=request) from error
    if not response.is_success:
        raise openai.APIStatusError(f"HTTP {response.status_code}", response=response, body=None)
    return response
