"""The table of roles, and what may be a user name."""

from __future__ import annotations

import pytest

from hotline.errors import BadInputError
from hotline.staff import ACTS_AS, ROLE_NAMES, Principal, Role, checked_username, known_roles


def test_every_role_is_in_the_table_and_has_a_name() -> None:
    assert set(ACTS_AS) == set(ROLE_NAMES) == set(Role)
    assert all(role in ACTS_AS[role] for role in Role)


def test_a_supervisor_acts_as_an_agent_and_an_administrator_as_nobody_else() -> None:
    def acts(role: Role) -> list[Role]:
        person = Principal(username="x", display_name="x", roles=(role,))
        return [wanted for wanted in Role if person.may_act_as(wanted)]

    assert acts(Role.AGENT) == [Role.AGENT]
    assert acts(Role.SUPERVISOR) == [Role.AGENT, Role.SUPERVISOR]
    assert acts(Role.MANAGER) == [Role.MANAGER]
    assert acts(Role.ADMIN) == [Role.ADMIN]


def test_any_of_several_roles_is_enough() -> None:
    person = Principal(username="x", display_name="x", roles=(Role.MANAGER,))
    assert person.may_act_as("agent", "manager")
    assert not person.may_act_as("agent", "supervisor")


def test_roles_are_kept_once_in_their_order_and_unknown_ones_refused() -> None:
    assert known_roles(["manager", "agent", "agent"]) == (Role.AGENT, Role.MANAGER)
    for names in ([], ["king"], ["agent", "king"]):
        with pytest.raises(BadInputError):
            known_roles(names)


@pytest.mark.parametrize("name", ["", "a", "13800000000", "李华", "a b", "a/b", "x" * 33, "a@b", "-ab"])
def test_what_is_no_user_name_is_refused(name: str) -> None:
    with pytest.raises(BadInputError):
        checked_username(name)


def test_a_user_name_is_in_small_letters() -> None:
    assert checked_username(" Li.Hua-2 ") == "li.hua-2"
    assert checked_username("chen.2@sso") == "chen.2@sso"
