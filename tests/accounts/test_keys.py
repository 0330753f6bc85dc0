"""API keys: made once, kept as digests, audited."""

from datetime import timedelta

import pytest

from flowdesk.accounts.models import ApiKey, AuditEntry
from flowdesk.accounts.services import KeyRevoked, create_key, revoke_key, usable_key
from flowdesk.core.actor import system
from flowdesk.core.errors import Forbidden, Invalid, NotFound
from flowdesk.core.tenant import reading
from tests.builders import MONDAY_9, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


def test_only_the_digest_of_a_key_is_kept() -> None:
    world = a_world()

    made = create_key("exports", scopes=["read"], by=system(world.tenant.id), now=MONDAY_9)

    row = ApiKey.objects.get()
    assert made.secret.startswith(row.prefix)
    assert made.secret.encode() not in bytes(row.digest)
    assert usable_key(made.secret, at=MONDAY_9) == row


def test_making_and_revoking_a_key_is_audited_without_its_secret() -> None:
    world = a_world()
    made = create_key("exports", scopes=["read"], by=system(world.tenant.id), now=MONDAY_9)
    revoke_key(made.row.prefix, by=system(world.tenant.id), now=MONDAY_9)

    with reading(world.tenant.id):
        lines = list(
            AuditEntry.objects.filter(thing="api_key").order_by("id").values_list("act", "thing_id", "after")
        )
    assert [line[:2] for line in lines] == [("key_created", made.row.id), ("key_revoked", made.row.id)]
    assert made.secret not in str(lines)
    assert usable_key(made.secret, at=MONDAY_9) is None
    with pytest.raises(KeyRevoked):
        revoke_key(made.row.prefix, by=system(world.tenant.id), now=MONDAY_9)


def test_a_key_that_cannot_be_made_names_its_fields() -> None:
    world = a_world()

    with pytest.raises(Invalid) as refused:
        create_key(
            " ", scopes=["dance"], by=system(world.tenant.id), now=MONDAY_9, expires_at=MONDAY_9, limit=0
        )

    assert {fault.field for fault in refused.value.faults} == {"name", "scopes", "expires_at", "limit"}
    assert not ApiKey.objects.exists()


def test_another_tenants_key_cannot_be_revoked() -> None:
    world, elsewhere = a_world(), a_world("elsewhere")
    made = create_key("exports", scopes=["read"], by=system(world.tenant.id), now=MONDAY_9)

    with pytest.raises(NotFound):
        revoke_key(made.row.prefix, by=system(elsewhere.tenant.id), now=MONDAY_9)


def test_who_works_tickets_makes_no_keys() -> None:
    world = a_world()

    with pytest.raises(Forbidden):
        create_key("exports", scopes=["read"], by=world.bo, now=MONDAY_9)


def test_a_key_ends_at_its_instant() -> None:
    world = a_world()
    ends = MONDAY_9 + timedelta(days=1)
    made = create_key("exports", scopes=["read"], by=system(world.tenant.id), now=MONDAY_9, expires_at=ends)

    assert usable_key(made.secret, at=ends - timedelta.resolution) is not None
    assert usable_key(made.secret, at=ends) is None
