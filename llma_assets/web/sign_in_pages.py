"""Signing in with a token, and out; who is let in belongs in `access`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from llma_assets.web.templates_of import page
from llma_assets.web.visitors import TOKEN_COOKIE, check_form, fields_of, site_of

router = APIRouter()


@router.get("/sign-in", name="sign_in_page")
def sign_in_page(request: Request, next: str = "/") -> Response:
    """Where a token is given."""
    return page(request, "sign_in.html", next=_own_address(next), wrong=False)


@router.post("/sign-in")
def sign_in(request: Request, fields: Annotated[dict[str, str], Depends(fields_of)]) -> Response:
    """Keep a valid token in a cookie that no script can read and no foreign page sends."""
    check_form(request, fields)
    target, token = _own_address(fields.get("next", "/")), fields.get("token", "").strip()
    if site_of(request).access.visitor(token) is None:
        return page(request, "sign_in.html", status=401, next=target, wrong=True)
    response = RedirectResponse(target, 303)
    response.set_cookie(
        TOKEN_COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
    )
    return response


@router.post("/sign-out")
def sign_out(request: Request, fields: Annotated[dict[str, str], Depends(fields_of)]) -> Response:
    """Forget the token."""
    check_form(request, fields)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(TOKEN_COOKIE, path="/", httponly=True, samesite="strict")
    return response


def _own_address(text: str) -> str:
    """An address of this server, never one of another."""
    return text if text.startswith("/") and not text.startswith(("//", "/\\")) and "\n" not in text else "/"
