"""Who may: dependencies for routes and sockets of the line's own people.

@router.get("/queue")
async def queue(agent: Annotated[Principal, Depends(require_role("agent"))]): ...

@router.websocket("/events")
async def events(socket: WebSocket):
    async with signed_in_socket(socket, "agent") as agent:
        if agent is None:  # refused, told why and closed
            return
        ...
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from fastapi import Request, Response, WebSocket
from starlette.requests import HTTPConnection

from gateway.auth.signin import SignedIn
from gateway.services import bearer, services_of
from hotline.errors import CrossSiteError, HotlineError, PartDownError, RoleRequiredError, SignInRequiredError
from hotline.staff import Principal, Role

COOKIE = "hotline_session"
CSRF_COOKIE = "hotline_csrf"
CSRF_HEADER = "x-csrf-token"
_SAFE = {"GET", "HEAD", "OPTIONS"}
_UNAUTHORISED, _FORBIDDEN, _TRY_AGAIN = 4401, 4403, 1013
_CHECK_EVERY_S = 15.0

Guard = Callable[[Request], Awaitable[Principal]]


def require_role(*roles: Role | str) -> Guard:
    """A dependency: the signed-in person, who may act as one of ``roles`` (none given: anybody signed in).

    Raises:
        SignInRequiredError: 401. RoleRequiredError, CrossSiteError: 403.
    """
    wanted = [Role(role) for role in roles]

    async def guard(request: Request) -> Principal:
        token = session_token(request)
        principal = await services_of(request).sign_in.principal(token)
        return allowed(principal, wanted)

    return guard


async def signed_in_if_any(request: Request) -> Principal | None:
    """A dependency for what citizens and staff both may ask: who is signed in, or None where nobody says so.

    Raises:
        SignInRequiredError: a session was given that is none. CrossSiteError.
    """
    token = session_token(request)
    return None if token is None else await services_of(request).sign_in.principal(token)


def allowed(principal: Principal, wanted: list[Role]) -> Principal:
    if wanted and not principal.may_act_as(*wanted):
        raise RoleRequiredError
    return principal


def session_token(request: Request) -> str | None:
    """The token of a request: bearer, else cookie. A change by cookie needs proof that our page asked for it.

    Raises:
        CrossSiteError
    """
    if (token := bearer(request)) is not None:
        return token
    token = request.cookies.get(COOKIE)
    if token and request.method not in _SAFE:
        require_same_origin(request)
        proof = services_of(request).sign_in.csrf_token(token)
        if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), proof.encode()):
            raise CrossSiteError
    return token


def require_same_origin(connection: HTTPConnection) -> None:
    """Raises CrossSiteError where a browser says that another site's page asks."""
    origin = connection.headers.get("origin")
    if origin is None:  # not a browser, or one that asks its own site
        return
    public = services_of(connection).settings.public_url
    own = {connection.headers.get("host", ""), urlsplit(public).netloc if public else ""}
    if urlsplit(origin).netloc not in own:
        raise CrossSiteError


@asynccontextmanager
async def signed_in_socket(socket: WebSocket, *roles: Role | str) -> AsyncIterator[Principal | None]:
    """Accepts ``socket`` and yields who is there, or None: then it was told why and closed.

    By cookie (a page of ours), ``Authorization: Bearer`` or ``?token=``. The socket is closed with
    4401 as soon as the session ends: signed out, expired, password changed, disabled, role taken.
    """
    wanted = [Role(role) for role in roles]
    sign_in = services_of(socket).sign_in
    await socket.accept()
    try:
        token = _socket_token(socket)
        principal = allowed(await sign_in.principal(token), wanted)
    except HotlineError as error:
        await _refuse(socket, error)
        yield None
        return
    ended = asyncio.Event()
    with sign_in.watch(token or "", principal, ended.set):
        watching = asyncio.create_task(_close_when_over(socket, token, wanted, ended))
        try:
            yield principal
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def _socket_token(socket: WebSocket) -> str | None:
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if in_query := socket.query_params.get("token"):
        return in_query
    require_same_origin(socket)  # a browser sends the cookie whoever's page asks
    return socket.cookies.get(COOKIE)


async def _close_when_over(socket: WebSocket, token: str | None, wanted: list[Role], ended: asyncio.Event) -> None:
    """Other processes (the console) end sessions too, so the store is asked now and then."""
    sign_in = services_of(socket).sign_in
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _CHECK_EVERY_S)
        ended.clear()
        try:
            allowed(await sign_in.principal(token, active=False), wanted)
        except PartDownError:
            continue  # the store is asked again; nothing says that the session is over
        except HotlineError as error:
            with suppress(RuntimeError):  # the client went first
                await _refuse(socket, error)
            return


async def _refuse(socket: WebSocket, error: HotlineError) -> None:
    codes = {SignInRequiredError.status: _UNAUTHORISED, RoleRequiredError.status: _FORBIDDEN}
    await socket.send_json({"type": "error", "code": error.code, "detail": error.detail})
    await socket.close(codes.get(error.status, _TRY_AGAIN))


def client_address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else "unknown"


def is_secure(request: Request) -> bool:
    """Whether browsers reach the line by https (uvicorn believes a proxy on this machine about that)."""
    return request.url.scheme == "https" or services_of(request).settings.public_url.startswith("https:")


def set_session(request: Request, response: Response, signed_in: SignedIn) -> None:
    """The session's cookie, and the one whose value our pages send back in the CSRF header."""
    secure = is_secure(request)
    seconds = int(services_of(request).settings.session_hours * 3600)
    csrf = services_of(request).sign_in.csrf_token(signed_in.token)
    response.set_cookie(COOKIE, signed_in.token, seconds, path="/", secure=secure, httponly=True, samesite="strict")
    response.set_cookie(CSRF_COOKIE, csrf, seconds, path="/", secure=secure, httponly=False, samesite="strict")
    response.headers["Cache-Control"] = "no-store"


def clear_session(request: Request, response: Response) -> None:
    for name in (COOKIE, CSRF_COOKIE):
        response.delete_cookie(name, path="/", secure=is_secure(request), samesite="strict")
