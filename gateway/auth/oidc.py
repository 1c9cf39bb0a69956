"""A district's own sign-on: OpenID Connect, code flow with PKCE, state and nonce.

Who comes in by it has an account of ours of the same life (``zhang@sso``, known by issuer and
subject, never by name): an administrator can disable it, and it is never somebody's local account.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from hotline.errors import (
    NoRoleError,
    SignOnAudienceError,
    SignOnDeniedError,
    SignOnDownError,
    SignOnError,
    SignOnExpiredError,
    SignOnIssuerError,
    SignOnNonceError,
    SignOnOffError,
    SignOnSignatureError,
    SignOnStateError,
)
from hotline.settings import Settings
from hotline.staff import Role, known_roles

UNDER_WAY_S = 600  # how long a sign-on may take
_LEEWAY_S = 60  # clocks differ
_TIMEOUT_S = 5.0
_KEEP_S = 600  # how long the provider's own description is taken as it is
# Signatures that need the provider's private key: what we hold cannot make them.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
_OUR_PAGES = re.compile(r"/(?:desk|insights)(?:[/?#][\x21-\x7e]*)?")
_BY_CLAIM: dict[str, type[SignOnError]] = {
    "iss": SignOnIssuerError,
    "aud": SignOnAudienceError,
    "azp": SignOnAudienceError,
    "exp": SignOnExpiredError,
    "iat": SignOnExpiredError,
    "nbf": SignOnExpiredError,
    "nonce": SignOnNonceError,
}


@dataclass(frozen=True)
class Identity:
    """Who the provider says it is."""

    issuer: str
    subject: str
    name: str
    display_name: str
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Journey:
    """A sign-on under way: where to send the browser, and what it must bring back (sealed)."""

    url: str
    state: str
    sealed: str


def own_page(page: str | None) -> str:
    """A page of ours to go to after signing in; anything else becomes the desk."""
    return page if page and _OUR_PAGES.fullmatch(page) else "/desk"


def sealing_key(file: Path) -> Fernet:
    """Seals what the browser carries through a sign-on. Made at first use."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(Fernet.generate_key())
    return Fernet(file.read_bytes())


class SignOn:
    """Talks to one provider. Off where ``OIDC_ISSUER`` is empty."""

    def __init__(self, settings: Settings, seal: Fernet, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._seal = seal
        self._now = now
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: dict[str, Any] | None = None

    @property
    def is_on(self) -> bool:
        return bool(self._settings.oidc_issuer and self._settings.oidc_client_id)

    async def start(self, callback: str, page: str | None) -> Journey:
        """Raises SignOnOffError, SignOnDownError, SignOnIssuerError."""
        metadata = await self._described()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        async with self._client(callback) as client:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        carried = {"state": state, "nonce": nonce, "verifier": verifier, "page": own_page(page)}
        return Journey(url, state, self._seal.encrypt(json.dumps(carried).encode()).decode())

    async def finish(self, callback: str, answer: Mapping[str, str], sealed: str | None) -> Identity:
        """Who came back.

        Raises:
            SignOnError: a named kind of it says what was wrong; nobody is signed in.
        """
        carried = self.carried(sealed)
        if carried is None or not hmac.compare_digest(carried["state"].encode(), answer.get("state", "").encode()):
            raise SignOnStateError
        metadata = await self._described()
        if answer.get("iss", metadata["issuer"]) != metadata["issuer"]:  # RFC 9207
            raise SignOnIssuerError
        if "error" in answer or "code" not in answer:
            raise SignOnDeniedError
        token = await self._token(callback, metadata, answer["code"], carried["verifier"])
        claims = await self.claims_of(token, carried["nonce"])
        told = {**await self._user_info(metadata, token, claims["sub"]), **claims}
        return self._identity(told)

    def carried(self, sealed: str | None) -> dict[str, str] | None:
        """What was sealed at :meth:`start`, if it is ours and not too old."""
        try:
            opened = self._seal.decrypt_at_time((sealed or "").encode(), UNDER_WAY_S, int(self._now()))
        except InvalidToken:
            return None
        carried: dict[str, str] = json.loads(opened)
        return carried

    async def claims_of(self, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of an ID token, once everything about it was checked.

        Raises:
            SignOnSignatureError, SignOnIssuerError, SignOnAudienceError, SignOnExpiredError,
            SignOnNonceError, SignOnError.
        """
        metadata = await self._described()
        signed = await self._verified(str(token.get("id_token", "")), metadata)
        options: Any = {
            "iss": {"essential": True, "value": metadata["issuer"]},
            "aud": {"essential": True, "value": self._settings.oidc_client_id},
            "nonce": {"essential": True, "value": nonce},
        }
        params = {"client_id": self._settings.oidc_client_id, "access_token": token.get("access_token"), "nonce": nonce}
        try:
            CodeIDToken(signed.claims, signed.header, options, params).validate(int(self._now()), _LEEWAY_S)
        except ExpiredTokenError as error:
            raise SignOnExpiredError from error
        except ClaimError as error:
            raise _BY_CLAIM.get(error.claim, SignOnError) from error
        return dict(signed.claims)

    def _identity(self, told: Mapping[str, Any]) -> Identity:
        granted = roles_of(told, self._settings.oidc_role_claim, self._settings.oidc_role_map)
        if not granted:
            raise NoRoleError
        name = str(told.get("preferred_username") or told["sub"])
        return Identity(told["iss"], str(told["sub"]), name, str(told.get("name") or name), granted)

    async def _verified(self, id_token: str, metadata: Mapping[str, Any]) -> jwt.Token:
        registry = JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
        for fresh in (False, True):
            keys = KeySet.import_key_set(await self._key_set(metadata, fresh))  # type: ignore[arg-type]
            try:
                return jwt.decode(id_token, key=keys, registry=registry)
            except InvalidKeyIdError as error:  # the provider may have changed its keys
                if fresh:
                    raise SignOnSignatureError from error
            except (JoseError, ValueError) as error:
                raise SignOnSignatureError from error
        raise SignOnSignatureError

    async def _key_set(self, metadata: Mapping[str, Any], fresh: bool) -> dict[str, Any]:
        if self._keys is None or fresh:
            self._keys = await self._get(metadata["jwks_uri"])
        return self._keys

    async def _token(self, callback: str, metadata: Mapping[str, Any], code: str, verifier: str) -> dict[str, Any]:
        try:
            async with self._client(callback) as client:
                token: dict[str, Any] = await client.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=verifier, grant_type="authorization_code"
                )
            return token
        except OAuthError as error:  # a code that was used, stolen or never given
            raise SignOnDeniedError from error
        except (httpx.HTTPError, ValueError) as error:
            raise SignOnDownError from error

    async def _user_info(self, metadata: Mapping[str, Any], token: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """Claims that a provider keeps out of the ID token."""
        endpoint = metadata.get("userinfo_endpoint")
        if not endpoint or not token.get("access_token"):
            return {}
        told = await self._get(endpoint, {"Authorization": f"Bearer {token['access_token']}"})
        if told.get("sub") != subject:  # OpenID Connect Core 5.3.2: else it is about somebody else
            raise SignOnError
        return told

    async def _described(self) -> dict[str, Any]:
        if not self.is_on:
            raise SignOnOffError
        if self._metadata is None or self._metadata[0] < self._now() - _KEEP_S:
            issuer = self._settings.oidc_issuer
            metadata = await self._get(issuer.rstrip("/") + "/.well-known/openid-configuration")
            if metadata.get("issuer") != issuer:
                raise SignOnIssuerError
            if not all(isinstance(metadata.get(f"{name}"), str) for name in _ENDPOINTS):
                raise SignOnDownError
            self._metadata = (self._now(), metadata)
        return self._metadata[1]

    async def _get(self, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S) as client:
                answer = await client.get(url, headers=headers)
                answer.raise_for_status()
                told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise SignOnDownError from error
        if not isinstance(told, dict):
            raise SignOnDownError
        return told

    def _client(self, callback: str) -> AsyncOAuth2Client:
        secret = self._settings.oidc_client_secret
        return AsyncOAuth2Client(
            self._settings.oidc_client_id,
            secret or None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=self._settings.oidc_scopes,
            redirect_uri=callback,
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
        )


_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def roles_of(claims: Mapping[str, Any], claim: str, known: Mapping[str, str]) -> tuple[Role, ...]:
    """The roles that the provider's ``claim`` (``a.b``: inside of ``a``) stands for, by the settings' table."""
    value: Any = claims.get(claim)
    if value is None:
        value = claims
        for step in claim.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    held: Iterable[Any] = value if isinstance(value, list) else [value]
    names = {known[each] for each in held if isinstance(each, str) and each in known}
    return known_roles(names) if names else ()
