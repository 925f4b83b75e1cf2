"""Pages from templates: autoescape is on everywhere, and everything that a page shows of a trace is plain text."""

import re
import secrets
from datetime import date, datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from llma_assets.stats import Share
from llma_assets.visible import visible
from llma_assets.web.problems import TITLES, WebProblem
from llma_assets.web.visitors import FORM_COOKIE, FORM_FIELD

STATES = {"continued": "", "shrunk": "faded", "split": "split off", "tentative": "perhaps new"}
"""What a lineage's state is called."""


COLOURS = 7
"""Colours of clusters in the style sheet."""


@cache
def environment() -> Environment:
    """The templates, with the functions that they use."""
    found = Environment(
        loader=PackageLoader("llma_assets.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "shown": shown,
        "percent": percent,
        "interval": interval,
        "usd": usd,
        "seconds": seconds,
        "moment": moment,
        "lineage_state": lambda state: STATES.get(state, state.replace("_", " ")),
    }
    found.globals |= {"address": address, "bars": bars, "refs": refs, "mark": mark}
    return found


MOST_SHOWN = 5_000
"""Characters of a title, a description or a reason on a page: nobody reads more, and a browser lays it out for long."""


def shown(value: object) -> str:
    """Text of a trace without invisible characters, not endless; escaping belongs to the template.

    >>> shown("a\u202eb"), len(shown("x" * 1_000_000))
    ('ab', 5001)
    """
    text = str(value)
    return visible(text) if len(text) <= MOST_SHOWN else f"{visible(text[:MOST_SHOWN])}…"


def percent(value: float | None) -> str:
    """A share of 1 in per cent; a dash for none.

    >>> percent(0.1234), percent(0.004), percent(None)
    ('12 %', '0.4 %', '–')
    """
    if value is None:
        return "–"
    return f"{value:.1%}".replace("%", " %") if 0 < value < 0.1 else f"{value:.0%}".replace("%", " %")


def interval(share: Share) -> str:
    """A share's interval at 95 % in words.

    >>> interval(Share.of(1, 2))
    '9.5 % to 91 %'
    """
    return f"{percent(share.low)} to {percent(share.high)}"


def usd(value: float) -> str:
    """An amount of money.

    >>> usd(1234.5), usd(0.00123), usd(0)
    ('$1,234.50', '$0.0012', '$0')
    """
    if not value:
        return "$0"
    return f"${value:,.2f}" if value >= 0.1 else f"${value:.2g}" if value < 0.0001 else f"${value:.4f}"


def seconds(value: float) -> str:
    """A duration.

    >>> seconds(0.25), seconds(12.34), seconds(150)
    ('0.25 s', '12.3 s', '2.5 min')
    """
    return f"{value / 60:.1f} min" if value >= 120 else f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def moment(value: datetime | date) -> str:
    """A moment or a day in UTC."""
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value.isoformat()


def refs(text: str) -> list[int]:
    """The lines that a point of a summary rests on; a range counts as its first line.

    >>> refs("L3-5, L12")
    [3, 12]
    """
    return sorted({int(number) for number in re.findall(r"L(\d{1,9})", text)})


def address(path: str, /, **query: Any) -> str:
    """The address of a page; empty parameters are left out.

    >>> address("/teams/1/items", theme="a&b", page=None)
    '/teams/1/items?theme=a%26b'
    """
    given = {name: str(value) for name, value in query.items() if value not in (None, "")}
    return quote(path) + (f"?{urlencode(given)}" if given else "")


def bars(values: list[float], width: int = 84, height: int = 22) -> list[tuple[float, float, float, float]]:
    """The bars of a sparkline: x, y, width and height of each, in pixels."""
    if not values:
        return []
    step, top = width / len(values), max(values) or 1
    sizes = [max(value / top * height, 1.0 if value else 0.0) for value in values]
    return [
        (round(place * step, 1), round(height - size, 1), round(max(step - 1, 0.5), 1), round(size, 1))
        for place, size in enumerate(sizes)
    ]


MARKS = ("M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0", "M-5 -5h10v10h-10z", "M0 -6L6 5H-6z", "M0 -7L7 0L0 7L-7 0z")
"""Circle, square, triangle, diamond, as the map draws them."""


def mark(cluster_id: int) -> str:
    """The path of a cluster's mark: those of equal colour differ in shape."""
    return MARKS[max(cluster_id, 0) // COLOURS % len(MARKS)]


def page(request: Request, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from a template.

    Args:
        name: of the template.
        values: what it shows.
    """
    key = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    site = request.app.state.site
    team_id = values.get("team_id")
    text = (
        environment()
        .get_template(name)
        .render(
            request=request,
            form_field=FORM_FIELD,
            form_key=key,
            dagster_url=site.dagster_url,
            signed_in=not site.access.is_open,
            team_name="" if team_id is None else site.team_name(team_id),
            **{"team_id": None, "tab": "", "day": None, "theme_id": None, **values},
        )
    )
    response = HTMLResponse(text, status)
    if FORM_COOKIE not in request.cookies:
        response.set_cookie(
            FORM_COOKIE, key, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
        )
    return response


def problem_page(request: Request, problem: WebProblem) -> HTMLResponse:
    """The page of a request that cannot be answered: what is wrong, and what there is instead."""
    response = page(
        request,
        "problem.html",
        status=problem.status,
        title=TITLES.get(problem.status, "Error"),
        detail=problem.detail,
        near=problem.more.get("near", ()),
    )
    if problem.status == 503:
        response.headers["Retry-After"] = "5"
    return response
