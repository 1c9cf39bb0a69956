"""Signing in and out, one's own password, and the accounts (docs/security.md)."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from gateway.auth.guard import (
    COOKIE,
    clear_session,
    client_address,
    is_secure,
    require_role,
    require_same_origin,
    session_token,
    set_session,
)
from gateway.auth.oidc import UNDER_WAY_S, own_page
from gateway.auth.signin import SignedIn
from gateway.problems import problem
from gateway.services import Services, services_of
from hotline.errors import SignInRequiredError, SignOnError
from hotline.staff import ROLE_NAMES, Principal, Role
from storage.staff import Account

router = APIRouter(prefix="/api/v1/auth", tags=["登录"])
accounts = APIRouter(prefix="/api/v1/accounts", tags=["账号"])
audit = APIRouter(prefix="/api/v1/audit", tags=["审计"])

_SIGN_ON = "/api/v1/auth/oidc"
House = Annotated[Services, Depends(services_of)]
SignedInPerson = Annotated[Principal, Depends(require_role())]
Admin = Annotated[Principal, Depends(require_role(Role.ADMIN))]


class SignInBody(BaseModel):
    username: str = Field(max_length=256)
    password: str = Field(max_length=1024)


class PasswordBody(BaseModel):
    old_password: str = Field(max_length=1024)
    new_password: str = Field(max_length=1024)


class NewAccountBody(BaseModel):
    username: str = Field(max_length=64)
    roles: list[str]
    password: str = Field(max_length=1024)
    display_name: str = Field("", max_length=64)


class AccountBody(BaseModel):
    """What is not given stays as it is."""

    roles: list[str] | None = None
    disabled: bool | None = None
    password: str | None = Field(None, max_length=1024)
    display_name: str | None = Field(None, max_length=64)


@router.get("/options", summary="可以怎样登录")
async def options(house: House, error: str = "") -> dict[str, Any]:
    """``error``: the code that a failed sign-on left in the page's address; its sentence comes back."""
    sign_on = {"label": house.settings.oidc_label, "start": _SIGN_ON + "/start"} if house.sign_on.is_on else None
    kinds: list[type[SignOnError]] = [SignOnError, *SignOnError.__subclasses__()]
    named = next((kind for kind in kinds if kind.code == error), None)
    return {"oidc": sign_on, "error": named and {"code": named.code, "detail": named.citizen_sentence}}


@router.get("/oidc/start", status_code=303, summary="去统一认证登录")
async def start_sign_on(request: Request, house: House, page: Annotated[str, Query(alias="next")] = "") -> Response:
    try:
        journey = await house.sign_on.start(_callback(request), page)
    except SignOnError as error:
        return _not_signed_on(request, error, page)
    away = RedirectResponse(journey.url, 303)
    away.set_cookie(
        _journey_cookie(journey.state),
        journey.sealed,
        UNDER_WAY_S,
        path=_SIGN_ON,
        secure=is_secure(request),
        httponly=True,
        samesite="lax",  # it must come along when the provider sends the browser back
    )
    return away


@router.get("/oidc/callback", status_code=303, summary="从统一认证回来")
async def finish_sign_on(request: Request, house: House) -> Response:
    cookie = _journey_cookie(request.query_params.get("state", ""))
    sealed = request.cookies.get(cookie)
    page = (house.sign_on.carried(sealed) or {}).get("page")
    back: Response
    try:
        identity = await house.sign_on.finish(_callback(request), request.query_params, sealed)
        signed_in = await house.sign_in.sign_on(identity, client_address(request))
        await _end_former(request, house)
        back = RedirectResponse(own_page(page), 303)
        set_session(request, back, signed_in)
    except SignOnError as error:
        told = {"code": error.code, "address": client_address(request)}
        await house.audit.record("unknown", "sign_on_failed", "account:unknown", told)
        back = _not_signed_on(request, error, page)
    back.delete_cookie(cookie, path=_SIGN_ON, secure=is_secure(request), httponly=True, samesite="lax")
    return back


@router.post("/login", summary="登录")
async def login(body: SignInBody, request: Request, response: Response, house: House) -> dict[str, Any]:
    require_same_origin(request)
    signed_in = await house.sign_in.sign_in(body.username, body.password, client_address(request))
    await _end_former(request, house)
    return _told(request, response, signed_in)


@router.post("/logout", status_code=204, summary="退出登录")
async def logout(request: Request, response: Response, house: House) -> None:
    clear_session(request, response)
    token = session_token(request)
    try:
        await house.sign_in.sign_out(token or "")
    except SignInRequiredError:
        return  # it was over already: what was asked for is so


@router.get("/me", summary="现在登录的是谁")
async def me(person: SignedInPerson, request: Request, response: Response, house: House) -> dict[str, Any]:
    response.headers["Cache-Control"] = "no-store"
    return {**_person(person), "csrf_token": house.sign_in.csrf_token(session_token(request) or "")}


@router.post("/password", summary="改自己的密码")
async def change_password(
    body: PasswordBody, _: SignedInPerson, request: Request, response: Response, house: House
) -> dict[str, Any]:
    signed_in = await house.sign_in.change_password(
        session_token(request) or "", body.old_password, body.new_password, client_address(request)
    )
    return _told(request, response, signed_in)


@accounts.get("", summary="全部账号")
async def list_accounts(_: Admin, house: House) -> dict[str, Any]:
    return {"accounts": [account_json(account) for account in await house.sign_in.accounts()]}


@accounts.post("", status_code=201, summary="新建账号")
async def add_account(body: NewAccountBody, admin: Admin, house: House) -> dict[str, Any]:
    made = await house.sign_in.add_account(admin.username, body.username, body.roles, body.password, body.display_name)
    return account_json(made)


@accounts.patch("/{username}", summary="改账号：角色、停用、重置密码")
async def change_account(username: str, body: AccountBody, admin: Admin, house: House) -> dict[str, Any]:
    changed = await house.sign_in.change_account(
        admin.username,
        username,
        roles=body.roles,
        disabled=body.disabled,
        password=body.password,
        display_name=body.display_name,
    )
    return account_json(changed)


@audit.get("", summary="审计记录")
async def audit_entries(
    admin: Admin,
    house: House,
    after: Annotated[int, Field(ge=0)] = 0,
    limit: Annotated[int, Field(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    await house.audit.record(admin.username, "audit_read", "audit:entries", {"after": after, "limit": limit})
    entries = await house.audit.entries(after, limit)
    return {"entries": [entry.model_dump(mode="json") for entry in entries]}


def _callback(request: Request) -> str:
    base = services_of(request).settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return f"{base.rstrip('/')}{_SIGN_ON}/callback"


def _journey_cookie(state: str) -> str:
    """One for each sign-on under way, so that two tabs don't spoil each other's."""
    return "hotline_oidc_" + hashlib.sha256(state.encode()).hexdigest()[:12]


def _not_signed_on(request: Request, error: SignOnError, page: str | None) -> Response:
    """A person gets the sign-in page, which asks for the sentence; a program gets the problem."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"{own_page(page).split('?')[0].split('#')[0]}?signin_error={error.code}", 303)
    return problem(error.status, error.code, error.detail)


async def _end_former(request: Request, house: Services) -> None:
    """Signing in never goes on with a session that was there before."""
    if former := request.cookies.get(COOKIE):
        try:
            await house.sign_in.sign_out(former)
        except SignInRequiredError:
            return


def _told(request: Request, response: Response, signed_in: SignedIn) -> dict[str, Any]:
    set_session(request, response, signed_in)
    csrf = services_of(request).sign_in.csrf_token(signed_in.token)
    expires = signed_in.expires_at.isoformat()
    return {"token": signed_in.token, **_person(signed_in.principal), "csrf_token": csrf, "expires_at": expires}


def _person(person: Principal) -> dict[str, Any]:
    return {
        "username": person.username,
        "display_name": person.display_name,
        "roles": [role.value for role in person.roles],
        "role_names": [ROLE_NAMES[role] for role in person.roles],
    }


def account_json(account: Account) -> dict[str, Any]:
    return {
        **_person(account.principal),
        "disabled": account.disabled,
        "sign_on": "oidc" if account.issuer else "local",
        "created_at": account.created_at.isoformat(),
    }
