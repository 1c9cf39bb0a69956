"""What is refused of an ID token: forged, unsigned, for somebody else, of another time or another sign-on."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography.fernet import Fernet
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from gateway.auth.oidc import UNDER_WAY_S, SignOn, own_page, roles_of
from hotline.errors import (
    SignOnAudienceError,
    SignOnError,
    SignOnExpiredError,
    SignOnIssuerError,
    SignOnNonceError,
    SignOnSignatureError,
)
from hotline.settings import Settings
from hotline.staff import Role

ISSUER, NOW = "https://sso.example.gov.cn", 1_790_000_000
KEY = RSAKey.generate_key(2048, {"kid": "k1"}, auto_kid=False)
GOOD = {"iss": ISSUER, "sub": "u-1", "aud": "hotline", "exp": NOW + 300, "iat": NOW, "nonce": "n" * 43}


@pytest.fixture
def sign_on() -> SignOn:
    settings = Settings(_env_file=None, oidc_issuer=ISSUER, oidc_client_id="hotline")
    made = SignOn(settings, Fernet(Fernet.generate_key()), now=lambda: NOW)
    made._metadata = (NOW, {"issuer": ISSUER, "jwks_uri": "unused"})
    keys = {"keys": [KEY.as_dict(private=False)]}

    async def key_set(*_: object) -> dict[str, Any]:
        return keys

    made._key_set = key_set  # type: ignore[method-assign]
    return made


def signed(key: Any = KEY, alg: str = "RS256", **changes: Any) -> dict[str, str]:
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    kid = getattr(key, "kid", None)
    return {"id_token": jwt.encode({"alg": alg, **({"kid": kid} if kid else {})}, claims, key, algorithms=[alg])}


def part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@contextmanager
def refused(kind: type[SignOnError]) -> Iterator[None]:
    with pytest.raises(SignOnError) as error:
        yield
    assert type(error.value) is kind


async def test_a_good_token_is_taken(sign_on: SignOn) -> None:
    assert (await sign_on.claims_of(signed(), GOOD["nonce"]))["sub"] == "u-1"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"iss": "https://evil.example"}, SignOnIssuerError),
        ({"iss": None}, SignOnIssuerError),
        ({"aud": "another-system"}, SignOnAudienceError),
        ({"aud": None}, SignOnAudienceError),
        ({"aud": ["hotline", "another"], "azp": "another"}, SignOnAudienceError),
        ({"exp": NOW - 61}, SignOnExpiredError),
        ({"exp": None}, SignOnExpiredError),
        ({"iat": NOW + 3600}, SignOnExpiredError),
        ({"nonce": "of another sign-on"}, SignOnNonceError),
        ({"nonce": None}, SignOnNonceError),
        ({"sub": None}, SignOnError),
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused_by_name(
    sign_on: SignOn, changes: dict[str, Any], kind: type[SignOnError]
) -> None:
    with refused(kind):
        await sign_on.claims_of(signed(**changes), GOOD["nonce"])


async def test_a_token_that_the_provider_did_not_sign_is_refused(sign_on: SignOn) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "k1"}, auto_kid=False)
    unknown = ECKey.generate_key("P-256", {"kid": "k9"}, auto_kid=False)
    said = signed()["id_token"].split(".")[1]
    unsigned = part(b'{"alg":"none"}') + f".{said}."
    by_secret = part(b'{"alg":"HS256","kid":"k1"}') + f".{said}"  # the public key taken for a shared secret
    by_secret += "." + part(hmac.digest(KEY.as_pem(private=False), by_secret.encode(), "sha256"))
    tokens = [signed(stranger), signed(unknown, "ES256"), {"id_token": by_secret}, {"id_token": unsigned}, {}]
    for token in tokens:
        with refused(SignOnSignatureError):
            await sign_on.claims_of(token, GOOD["nonce"])


def test_what_the_browser_carries_is_ours_and_not_too_old(sign_on: SignOn) -> None:
    sealed = sign_on._seal.encrypt_at_time(b'{"state":"s"}', NOW).decode()
    assert sign_on.carried(sealed) == {"state": "s"}
    assert sign_on.carried(sealed[:-4] + "AAAA") is None
    assert sign_on.carried(None) is None
    sign_on._now = lambda: NOW + UNDER_WAY_S + 1
    assert sign_on.carried(sealed) is None


@pytest.mark.parametrize(
    ("claims", "claim", "roles"),
    [
        ({"roles": ["a", "x"]}, "roles", (Role.AGENT,)),
        ({"roles": "m"}, "roles", (Role.MANAGER,)),
        ({"realm_access": {"roles": ["m", "a"]}}, "realm_access.roles", (Role.AGENT, Role.MANAGER)),
        ({"https://x.example/roles": ["a"]}, "https://x.example/roles", (Role.AGENT,)),
        ({"roles": ["agent", 7, None]}, "roles", ()),
        ({"roles": {"a": 1}}, "roles", ()),
        ({}, "roles", ()),
    ],
)
def test_roles_come_from_the_claim_by_the_table_alone(
    claims: dict[str, Any], claim: str, roles: tuple[Role, ...]
) -> None:
    settings = Settings(_env_file=None, oidc_roles="a=agent, m=manager,broken")
    assert roles_of(claims, claim, settings.oidc_role_map) == roles


@pytest.mark.parametrize("page", ["/desk", "/insights", "/desk?tab=2", "/insights/topics#x"])
def test_a_page_of_ours_is_where_one_comes_back_to(page: str) -> None:
    assert own_page(page) == page
    assert own_page("https://evil.example" + page) == "/desk"
    assert own_page("/deskevil") == own_page("/desk\n") == own_page(None) == "/desk"
