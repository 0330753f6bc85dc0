"""Memberships: who can belong to a tenant."""

import pytest
from django.core.exceptions import ValidationError

from flowdesk.accounts.models import MEMBER_ROLES, Membership, User
from flowdesk.core.actor import GRANTS, Act, Role
from tests.builders import a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


def a_membership(role: Role) -> Membership:
    user = User.objects.create_user("eve@global.example", name="Eve Berg")
    return Membership(user=user, tenant=a_world().tenant, role=role.value)


@pytest.mark.parametrize("role", MEMBER_ROLES)
def test_whoever_works_or_audits_can_belong_to_a_tenant(role: Role) -> None:
    a_membership(role).full_clean()

    assert Act.READ in GRANTS[role]


@pytest.mark.parametrize("role", sorted(set(Role) - set(MEMBER_ROLES)))
def test_no_membership_is_a_contacts_a_keys_or_the_systems(role: Role) -> None:
    membership = a_membership(role)

    with pytest.raises(ValidationError, match="accounts_membership_role"):
        membership.validate_constraints()
    with pytest.raises(ValidationError, match="not a valid choice"):
        membership.clean_fields()
