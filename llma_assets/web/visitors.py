"""FastAPI dependencies: the site, who asks, and the team that the address names."""

import hmac
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Path, Request

from llma_assets.web.access import Visitor
from llma_assets.web.problems import Forbidden, NotFound, SignInNeeded
from llma_assets.web.site import Site

TOKEN_COOKIE = "llma_token"
FORM_COOKIE = "llma_form"
FORM_FIELD = "form_key"
MAX_TEAM_ID = 2**63 - 1
MAX_FORM_BYTES = 64 << 10
MOST_FIELDS = 200


def site_of(request: Request) -> Site:
    """What all requests share."""
    found: Site = request.app.state.site
    return found


def visitor_of(request: Request) -> Visitor:
    """Who asks: by the Authorization header, the cookie of the sign-in page, or the header of a proxy.

    Raises:
        SignInNeeded: nobody is known.
    """
    access = site_of(request).access
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    visitor = access.visitor(
        token.strip() if scheme.lower() == "bearer" else request.cookies.get(TOKEN_COOKIE),
        peer=request.client.host if request.client else None,
        user=request.headers.get(access.user_header),
    )
    if visitor is None:
        raise SignInNeeded("a valid token is needed; whoever runs this server hands them out")
    return visitor


SiteDep = Annotated[Site, Depends(site_of)]
VisitorDep = Annotated[Visitor, Depends(visitor_of)]


def team_of(
    visitor: VisitorDep, team_id: Annotated[int, Path(ge=0, le=MAX_TEAM_ID, description="Number of the team.")]
) -> int:
    """The team of the address; one that the visitor may not see does not exist for them.

    Raises:
        NotFound: it does not.
    """
    if not visitor.sees(team_id):
        raise NotFound(f"there is no team {team_id}")
    return team_id


TeamDep = Annotated[int, Depends(team_of)]


def changer(request: Request, visitor: VisitorDep) -> Visitor:
    """Who changes something by the API.

    A browser sends cookies by itself, also with a form of a foreign page; neither a token in a header nor JSON can come
    from one.

    Raises:
        Forbidden: the visitor may only read, or a form sent the request.
    """
    if not visitor.may_change:
        raise Forbidden("this token may read, not change")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and "authorization" not in request.headers:
        raise Forbidden("send changes as application/json, or with an Authorization header")
    return visitor


ChangerDep = Annotated[Visitor, Depends(changer)]


async def form_of(request: Request, visitor: VisitorDep) -> dict[str, str]:
    """The fields of a form of our pages.

    Raises:
        Forbidden: the visitor may only read, or the form is not one of the pages that this browser was given.
    """
    if not visitor.may_change:
        raise Forbidden("you may read, not change")
    fields = await fields_of(request)
    check_form(request, fields)
    return fields


FormDep = Annotated[dict[str, str], Depends(form_of)]


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent in the standard encoding, the last of each name."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise Forbidden(f"a form may have {MAX_FORM_BYTES >> 10} KiB at most")
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Forbidden(f"a form may have {MOST_FIELDS} fields at most") from None


def check_form(request: Request, fields: dict[str, str]) -> None:
    """Compare the key in the form with the one in the cookie, which foreign pages can neither read nor send.

    Raises:
        Forbidden: they differ.
    """
    key = request.cookies.get(FORM_COOKIE, "")
    if not key or not hmac.compare_digest(key.encode(), fields.get(FORM_FIELD, "").encode()):
        raise Forbidden("this form is too old or comes from elsewhere; load the page again and repeat the change")
