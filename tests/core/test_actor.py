"""Who may do what, as one table: a change of rights is a change of this table."""

from dataclasses import dataclass

import pytest

from flowdesk.core.actor import GRANTS, Act, Actor, ActorKind, Role, system
from flowdesk.core.errors import Forbidden

#                      customer agent lead manager admin auditor
TABLE = """
read                   -        yes   yes  yes     yes   yes
open                   yes      yes   yes  yes     yes   -
work                   -        yes   yes  yes     yes   -
assign                 -        yes   yes  yes     yes   -
prioritise             -        yes   yes  yes     yes   -
escalate               -        yes   yes  yes     yes   -
acknowledge            -        yes   yes  yes     yes   -
publish                -        -     yes  yes     yes   -
automate               -        -     yes  yes     yes   -
manage_customers       -        yes   yes  yes     yes   -
configure              -        -     -    yes     yes   -
audit                  -        -     -    -       yes   yes
import                 -        -     -    -       yes   -
"""
ROLES = (Role.CUSTOMER, Role.AGENT, Role.LEAD, Role.MANAGER, Role.ADMIN, Role.AUDITOR)
CELLS = [
    (role, Act(line.split()[0]), cell == "yes")
    for line in TABLE.strip().splitlines()
    for role, cell in zip(ROLES, line.split()[1:], strict=True)
]


def somebody(role: Role, *, tenant: int = 1, scopes: frozenset[Act] = frozenset()) -> Actor:
    kind = ActorKind.API_KEY if role is Role.API_CLIENT else ActorKind.USER
    return Actor(tenant=tenant, role=role, kind=kind, scopes=scopes)


@dataclass(frozen=True)
class Thing:
    tenant_id: int


def test_the_table_names_every_act_and_every_role() -> None:
    assert {act for _, act, _ in CELLS} == set(Act)
    assert {role for role, _, _ in CELLS} | {Role.API_CLIENT, Role.SYSTEM} == set(Role) == set(GRANTS)


@pytest.mark.parametrize(("role", "act", "allowed"), CELLS)
def test_a_role_may_do_what_the_table_says(role: Role, act: Act, allowed: bool) -> None:
    by = somebody(role)

    assert by.may(act) is allowed
    if allowed:
        by.must(act)
        return
    with pytest.raises(Forbidden):
        by.must(act)


@pytest.mark.parametrize("act", Act)
def test_a_key_may_do_exactly_what_its_scopes_say(act: Act) -> None:
    assert somebody(Role.API_CLIENT, scopes=frozenset({act})).may(act)
    assert not somebody(Role.API_CLIENT, scopes=frozenset(Act) - {act}).may(act)
    assert not somebody(Role.API_CLIENT).may(act)


@pytest.mark.parametrize("role", ROLES)
def test_scopes_give_a_person_nothing(role: Role) -> None:
    assert all(somebody(role, scopes=frozenset(Act)).may(act) is somebody(role).may(act) for act in Act)


@pytest.mark.parametrize("role", [*ROLES, Role.SYSTEM])
def test_nobody_may_touch_another_tenants_thing(role: Role) -> None:
    by = somebody(role, tenant=1)

    for act in Act:
        with pytest.raises(Forbidden):
            by.must(act, Thing(tenant_id=2))


def test_what_has_no_tenant_is_judged_by_the_right_alone() -> None:
    somebody(Role.AGENT).must(Act.WORK, object())
    somebody(Role.AGENT).must(Act.WORK, Thing(tenant_id=1))


def test_the_system_may_do_everything_in_its_one_tenant() -> None:
    by = system(7)

    assert all(by.may(act) for act in Act)
    with pytest.raises(Forbidden):
        by.must(Act.WORK, Thing(tenant_id=8))
