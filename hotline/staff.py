"""The line's own people: what each role may do, and who is signed in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from hotline.errors import BadInputError


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    ADMIN = "admin"


ACTS_AS: dict[Role, frozenset[Role]] = {
    Role.AGENT: frozenset({Role.AGENT}),
    Role.SUPERVISOR: frozenset({Role.SUPERVISOR, Role.AGENT}),
    Role.MANAGER: frozenset({Role.MANAGER}),
    Role.ADMIN: frozenset({Role.ADMIN}),
}
"""What holding a role allows. Who keeps the accounts sees no citizen's words by that alone."""

ROLE_NAMES: dict[Role, str] = {
    Role.AGENT: "坐席",
    Role.SUPERVISOR: "班长",
    Role.MANAGER: "管理人员",
    Role.ADMIN: "系统管理员",
}

# Begins with a letter, so that no name is a telephone or an ID number; the audit log keeps names as they are.
_USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,31}(?:@sso)?")


class Principal(BaseModel):
    """Who is signed in. ``roles`` are those granted, without what they imply."""

    model_config = ConfigDict(frozen=True)

    username: str
    display_name: str
    roles: tuple[Role, ...]

    def may_act_as(self, *roles: Role | str) -> bool:
        """Whether one of ``roles`` is held, directly or by a role that includes it."""
        return may_act_as(self.roles, roles)


def may_act_as(held: Iterable[Role], wanted: Iterable[Role | str]) -> bool:
    allowed = {role for each in held for role in ACTS_AS[each]}
    return any(Role(role) in allowed for role in wanted)


def known_roles(names: Iterable[str]) -> tuple[Role, ...]:
    """Roles by name, once each, in the order of :class:`Role`.

    Raises:
        BadInputError: an unknown name, or none at all.
    """
    asked = set(names)
    unknown = asked - {role.value for role in Role}
    if unknown or not asked:
        raise BadInputError(f"角色要从 {'、'.join(Role)} 里选，至少一个。")
    return tuple(role for role in Role if role.value in asked)


def checked_username(name: str) -> str:
    """``name`` in small letters.

    Raises:
        BadInputError: it cannot be a user name.
    """
    plain = name.strip().lower()
    if not _USERNAME.fullmatch(plain):
        raise BadInputError("用户名要以字母开头，2 到 32 个字符，只用小写字母、数字、点、横线和下划线。")
    return plain
