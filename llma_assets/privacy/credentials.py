"""Finds keys, tokens and passwords by the formats of their issuers, or by the name before them.

Every pattern takes linear time: it begins at a literal that `str.find` finds, and has no nested repetition.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from llma_assets.privacy.spans import Span

KEY: Final = "KEY"
TOKEN: Final = "TOKEN"
PASSWORD: Final = "PASSWORD"
PRIVATE_KEY: Final = "PRIVATE_KEY"


def _mixed(value: str) -> bool:
    """Whether a value looks random: `risk-of-2024-and-beyond` does not."""
    has_digit = any(c.isdigit() for c in value)
    has_upper = any(c.isupper() for c in value)
    has_lower = any(c.islower() for c in value)
    return has_digit and ((has_upper and has_lower) or re.search(r"[0-9a-zA-Z]{32}", value) is not None)


def _any(_: str) -> bool:
    return True


# (literal, pattern from the literal on, further condition). Formats as their issuers document them.
_KEYS: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...]] = tuple(
    (literal, re.compile(re.escape(literal) + rest), condition)
    for literal, rest, condition in (
        ("sk-lf-", r"[0-9a-f-]{36}", _any),
        ("sk-", r"[A-Za-z0-9_-]{20,}", _mixed),  # OpenAI, Anthropic (sk-ant-), OpenRouter, DeepSeek, Langfuse
        ("pk-lf-", r"[A-Za-z0-9-]{20,}", _any),
        ("AKIA", r"[A-Z0-9]{16}", _any),
        ("ASIA", r"[A-Z0-9]{16}", _any),
        ("ghp_", r"[A-Za-z0-9]{30,}", _any),
        ("gho_", r"[A-Za-z0-9]{30,}", _any),
        ("ghu_", r"[A-Za-z0-9]{30,}", _any),
        ("ghs_", r"[A-Za-z0-9]{30,}", _any),
        ("ghr_", r"[A-Za-z0-9]{30,}", _any),
        ("github_pat_", r"[A-Za-z0-9_]{22,}", _any),
        ("glpat-", r"[A-Za-z0-9_.-]{20,}", _any),
        ("gldt-", r"[A-Za-z0-9_-]{20,}", _any),
        ("glrt-", r"[A-Za-z0-9_.-]{20,}", _any),
        ("glptt-", r"[A-Za-z0-9_-]{20,}", _any),
        ("glcbt-", r"[A-Za-z0-9_-]{20,}", _any),
        ("xox", r"[abceoprs]-[A-Za-z0-9-]{10,}", _any),
        ("xapp-", r"[A-Za-z0-9-]{20,}", _any),
        ("hooks.slack.com/services/", r"[A-Za-z0-9/_-]{20,}", _any),
        ("k_live_", r"[A-Za-z0-9]{10,}", _any),  # Stripe: sk_, rk_, pk_
        ("k_test_", r"[A-Za-z0-9]{10,}", _any),
        ("whsec_", r"[A-Za-z0-9+/=]{20,}", _any),
        ("AIza", r"[A-Za-z0-9_-]{35}", _any),
        ("ya29.", r"[A-Za-z0-9_.-]{20,}", _any),
        ("GOCSPX-", r"[A-Za-z0-9_-]{20,}", _any),
        ("hf_", r"[A-Za-z0-9]{30,}", _any),
        ("gsk_", r"[A-Za-z0-9]{40,}", _any),
        ("xai-", r"[A-Za-z0-9]{40,}", _any),
        ("r8_", r"[A-Za-z0-9]{30,}", _any),
        ("pplx-", r"[A-Za-z0-9]{30,}", _any),
        ("npm_", r"[A-Za-z0-9]{36}", _any),
        ("pypi-", r"[A-Za-z0-9_-]{50,}", _any),
        ("SG.", r"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{30,}", _any),
        ("dop_v1_", r"[0-9a-f]{40,}", _any),
        ("shpat_", r"[0-9a-fA-F]{32}", _any),
        ("dapi", r"[0-9a-f]{32}", _any),
        ("phx_", r"[A-Za-z0-9]{30,}", _any),
        ("phc_", r"[A-Za-z0-9]{30,}", _any),
        ("hvs.", r"[A-Za-z0-9_-]{24,}", _any),
        ("lin_api_", r"[A-Za-z0-9]{30,}", _any),
        ("AQ.", r"[A-Za-z0-9_-]{30,}", _any),
        ("SK", r"[0-9a-f]{32}(?![0-9A-Za-z])", _any),
        ("AC", r"[0-9a-f]{32}(?![0-9A-Za-z])", _any),
        ("key-", r"[0-9a-f]{32}(?![0-9A-Za-z])", _any),
        ("lsv2_", r"[a-z]{2}_[0-9a-f]{32}_[0-9a-f]{10}", _any),
        ("secret_", r"[A-Za-z0-9]{43}", _any),
        ("ntn_", r"[A-Za-z0-9]{40,}", _any),
        ("figd_", r"[A-Za-z0-9_-]{30,}", _any),
        ("pat", r"[A-Za-z0-9]{14}\.[0-9a-f]{64}", _any),
        ("HRKU-", r"[0-9A-Za-z_-]{36,}", _any),
        ("sbp_", r"[0-9a-f]{40}", _any),
        ("pcsk_", r"[A-Za-z0-9_]{40,}", _any),
        ("tvly-", r"[A-Za-z0-9-]{20,}", _any),
        ("fc-", r"[0-9a-f]{32}", _any),
        ("pa-", r"[A-Za-z0-9_-]{40,}", _mixed),
        ("fw_", r"[A-Za-z0-9]{22,}", _any),
        ("tgp_v1_", r"[A-Za-z0-9_-]{30,}", _any),
        ("nvapi-", r"[A-Za-z0-9_-]{40,}", _any),
        ("dckr_pat_", r"[A-Za-z0-9_-]{20,}", _any),
        ("EAAA", r"[A-Za-z0-9_-]{56,}", _any),
        ("access_token$production$", r"[0-9a-z]{10,}\$[0-9a-f]{32}", _any),
        ("AGE-SECRET-KEY-1", r"[0-9A-Z]{58}", _any),
        ("rubygems_", r"[0-9a-f]{48}", _any),
        ("glsa_", r"[A-Za-z0-9]{32}_[0-9a-fA-F]{8}", _any),
        ("glc_", r"[A-Za-z0-9+/=]{32,}", _any),
        ("NRAK-", r"[A-Z0-9]{27}", _any),
        ("sntrys_", r"[A-Za-z0-9+/=_-]{40,}", _any),
        ("sntryu_", r"[0-9a-f]{64}", _any),
        ("shpss_", r"[0-9a-fA-F]{32}", _any),
        ("shpca_", r"[0-9a-fA-F]{32}", _any),
        ("ATATT3", r"[A-Za-z0-9_=-]{40,}", _any),
        ("sq0csp-", r"[A-Za-z0-9_-]{43}", _any),
        ("doo_v1_", r"[0-9a-f]{40,}", _any),
        ("pul-", r"[0-9a-f]{40}", _any),
        ("PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}", _any),
        ("pnu_", r"[A-Za-z0-9]{36}", _any),
        ("1/", r"[0-9]{16}:[0-9a-f]{32}", _any),
    )
)
_AT_WORD_START: Final = {"SK", "AC", "AQ.", "pat", "pa-", "fc-", "fw_", "EAAA", "1/", "key-", "pul-"}
"""Literals that are too short to be searched for inside a word."""

_WITHOUT_LITERAL: Final = (
    re.compile(r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}"),  # Telegram
    re.compile(r"(?<![0-9A-Za-z_-])[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"),  # Discord
)
"""Keys that do not begin with a literal."""

_JWT_HEAD: Final = re.compile(r"eyJ[A-Za-z0-9_-]{8,}")
_JWT_REST: Final = re.compile(r"\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}")
_BLOCK_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_BODY: Final = re.compile(r"[A-Za-z0-9+/=\s\"',:.-]*")
_BLOCK_TAIL: Final = re.compile(r"[A-Za-z0-9+/=\s]*")
_LONGEST_BLOCK: Final = 20_000

_BEARER: Final = re.compile(r"(?i:bearer)[\s\"':=]{1,6}([A-Za-z0-9._~+/=-]{8,})")
_HEADER: Final = re.compile(
    r"(?i:authorization|x-api-key|x-auth-token|private-token|ocp-apim-subscription-key)[\"']{0,8}\s{0,3}[:=,]\s{0,3}"
    r"[\"']{0,8}((?i:bearer|basic|token|digest|apikey|negotiate)\s{1,3})?([^\s\"',;{}\[\]()<>]{8,})"
)
_NAMES: Final = (
    "passw", "passcode", "passphrase", "pwd", "secret", "api_key", "apikey", "api-key", "_token", "-token",
    "private_key", "accountkey", "accesskey", "access_key", "sig=", "token=", "signature=",
)  # fmt: skip
_NAME: Final = (
    r"(?i:passw(?:or)?d|passphrase|pwd|secret(?:[_-]?access)?(?:[_-]?key)?|api[_-]?key|account[_-]?key"
    r"|access[_-]?key|private[_-]?key|(?:access|refresh|id|auth|api|bearer|session|security)[_-]token)"
)
_QUOTED: Final = re.compile(_NAME + r"[\"']{0,8}\s{0,2}[:=]\s{0,2}([\"']{1,8})([^\"'\n]{3,512})(?=[\"'])")
_ASSIGNED: Final = re.compile(_NAME + r"=([^\s&\"'<>;,()\[\]{}]{4,512})")
_IN_PROSE: Final = re.compile(
    r"(?i:" + _NAME[4:-1] + r"|passwort|passcode|(?:[a-z]{1,30}[_-])token)"
    r"[\"']{0,2}(?:\s{0,3}[:=]\s{1,3}|\s{1,2}(?:is|ist|was|lautet)\s{1,2})[\"'`]{0,2}([^\s\"'`<>,;()\[\]{}]{4,512})"
)
"""In prose or YAML, with spaces around the sign; only values that look random, because words may follow, too."""

_COOKIE: Final = re.compile(
    r"(?i:(?:j|php|asp\.net_)?sess(?:ion)?(?:[_-]?id)?|sid|csrf[_-]?token|xsrf-token|auth)=([^\s;\"',&<>\[\]]{16,512})"
)
_QUERY: Final = re.compile(r"[?&](?i:token|sig|signature|key|auth|code|x-amz-signature|pass)=([^\s&\"'<>#\[\]]{8,512})")
_URL: Final = re.compile(r":/{2,12}([^\s/\"'<>:@?#]{0,128}):([^\s/\"'<>]{1,256})@")
_NOT_SECRET: Final = re.compile(
    r"(?i)(?:none|null|true|false|undefined|string|str|required|optional|redacted|\*+|x+|\.+|…)$|[\[$<{%]|os\.|self\."
    r"|process\.|your[_-]|config\."
)


def find_credentials(normalised: str) -> Iterator[Span]:
    """Keys, tokens and passwords, the most certain first."""
    yield from _blocks(normalised)
    yield from _passwords_in_urls(normalised)
    for literal, pattern, condition in _KEYS if len(normalised) >= 16 and _may_hold_keys(normalised) else ():
        place = normalised.find(literal)
        while place >= 0:
            found = pattern.match(normalised, place)
            if place and literal in _AT_WORD_START and normalised[place - 1].isalnum():
                found = None
            if found is not None and condition(found.group()):
                value = found.group()
                start = place
                if literal.startswith("k_") and place and normalised[place - 1] in "srp":
                    start, value = place - 1, normalised[place - 1] + value
                yield Span(start, found.end(), KEY, value)
            place = normalised.find(literal, place + len(literal) if found is None else found.end())
    for shaped in _WITHOUT_LITERAL if "." in normalised or ":AA" in normalised else ():
        for found in shaped.finditer(normalised):
            yield Span(found.start(), found.end(), TOKEN, found.group())
    for head in _JWT_HEAD.finditer(normalised) if "eyJ" in normalised else ():
        rest = _JWT_REST.match(normalised, head.end())
        if rest is not None:
            yield Span(head.start(), rest.end(), TOKEN, head.group() + rest.group())
    yield from _named(normalised)


@lru_cache(maxsize=1)
def _any_key() -> Any:
    """All patterns as one RE2 pattern, which reads each character once, however many patterns there are."""
    import re2

    options = re2.Options()
    options.max_mem = 64 << 20
    options.log_errors = False
    without_look_ahead = (pattern.pattern.removesuffix("(?![0-9A-Za-z])") for _, pattern, _ in _KEYS)
    return re2.compile("|".join(f"(?:{pattern})" for pattern in without_look_ahead).encode(), options)


def _may_hold_keys(normalised: str) -> bool:
    return _any_key().search(normalised.encode("utf-8", "replace")) is not None


def _blocks(normalised: str) -> Iterator[Span]:
    if "PRIVATE KEY" not in normalised:
        return
    covered = 0
    for begin in _BLOCK_BEGIN.finditer(normalised):
        if begin.start() < covered:
            continue
        end = _BLOCK_END.search(normalised, begin.end(), begin.end() + _LONGEST_BLOCK)
        if end is None:  # its end was cut off
            body = _BLOCK_BODY.match(normalised, begin.end())
            covered = body.end() if body else begin.end()
        else:
            covered = end.end()
        yield Span(begin.start(), covered, PRIVATE_KEY, normalised[begin.end() : covered])
    for end in _BLOCK_END.finditer(normalised):
        if end.start() >= covered:  # its beginning was cut off
            before = _BLOCK_TAIL.match(normalised[max(covered, end.start() - _LONGEST_BLOCK) : end.start()][::-1])
            start = end.start() - (before.end() if before else 0)
            yield Span(start, end.end(), PRIVATE_KEY, normalised[start : end.start()])
            covered = end.end()


def _passwords_in_urls(normalised: str) -> Iterator[Span]:
    if "://" not in normalised or "@" not in normalised:
        return
    for found in _URL.finditer(normalised):
        if found.group(2).strip("*x") and not found.group(2).startswith("["):
            yield Span(found.start(2), found.end(2), PASSWORD, found.group(2))


def _named(normalised: str) -> Iterator[Span]:
    lower = normalised.lower()
    if "bearer" in lower:
        for found in _BEARER.finditer(normalised):
            if _is_random(found.group(1)):
                yield Span(found.start(1), found.end(1), TOKEN, found.group(1))
    if "authorization" in lower or "-key" in lower or "-token" in lower:
        for found in _HEADER.finditer(normalised):
            if found.group(1) or _is_random(found.group(2)):
                yield Span(found.start(2), found.end(2), TOKEN, found.group(2))
    yield from _fields(normalised, lower)
    if "=" in normalised and ("sess" in lower or "sid=" in lower or "csrf" in lower or "auth=" in lower):
        for found in _COOKIE.finditer(normalised):
            if _is_random(found.group(1)):
                yield Span(found.start(1), found.end(1), TOKEN, found.group(1))
    if "=" in normalised and ("?" in normalised or "&" in normalised):
        for found in _QUERY.finditer(normalised):
            if _is_random(found.group(1)):
                yield Span(found.start(1), found.end(1), TOKEN, found.group(1))


def _fields(normalised: str, lower: str) -> Iterator[Span]:
    """Values of fields, arguments and variables with the name of a secret."""
    if any(name in lower for name in _NAMES):
        for pattern, group in ((_QUOTED, 2), (_ASSIGNED, 1)):
            for found in pattern.finditer(normalised):
                if _NOT_SECRET.match(found.group(group)) is None:
                    yield Span(found.start(group), found.end(group), PASSWORD, found.group(group))
        for found in _IN_PROSE.finditer(normalised):
            value = found.group(1).rstrip(".!?:")
            if _NOT_SECRET.match(value) is None and _is_drawn(value, found.group()):
                yield Span(found.start(1), found.start(1) + len(value), PASSWORD, value)


def _is_drawn(value: str, whole: str) -> bool:
    """Whether the value after the name of a secret is one, and not the next word: letters with digits, or long."""
    has_digit, has_letter = any(c.isdigit() for c in value), any(c.isalpha() for c in value)
    if re.match(r"(?i)\S{0,40}token", whole) or "token" in whole[: whole.find(value)].lower():
        return len(value) >= 16 and has_letter and (has_digit or len(value) >= 24)
    return has_digit and has_letter


def _is_random(value: str) -> bool:
    """Whether a value is unlikely to be a word: it has a digit, or at least 24 characters."""
    return not value.startswith("[") and (any(c.isdigit() for c in value) or len(value) >= 24)
