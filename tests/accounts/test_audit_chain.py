"""The audit chain: sealed once and in order, and every way of tampering found at its place."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from psycopg import errors
from pytest_django.fixtures import Settings

from flowdesk.accounts import audit_chain
from flowdesk.accounts.audit import AuditFilter, SealState, audit_page, record_act
from flowdesk.accounts.audit_chain import (
    Break,
    Chain,
    HeadsUnreadable,
    keep_heads,
    kept_heads,
    seal_audit,
    signed_head,
    verify_audit,
)
from flowdesk.accounts.models import AuditEntry, AuditSeal, Tenant
from flowdesk.core.actor import system
from flowdesk.core.tenant import reading, writing
from tests.builders import MONDAY_9
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture(autouse=True)
def data_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.create(slug="global", name="Global", created_at=MONDAY_9)


@pytest.fixture
def vandal(migrated_database: ThrowawayDatabase) -> Iterator[psycopg.Connection[Any]]:
    """Somebody with a superuser's password, whom no grant and no key check stops."""
    with psycopg.connect(migrated_database.admin, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection


def act(tenant: Tenant, count: int = 1) -> None:
    with writing(tenant.id):
        for number in range(count):
            record_act(
                "key_created", thing="api_key", thing_id=number, by=system(tenant.id), at=MONDAY_9,
                after={"scopes": ["read"]},
            )  # fmt: skip


def sealed_chain(tenant: Tenant, count: int = 5) -> list[int]:
    """A chain of so many entries; returns their row ids in order."""
    act(tenant, count)
    seal_audit(now=MONDAY_9)
    return entries_in_order(tenant)


def entries_in_order(tenant: Tenant) -> list[int]:
    with reading(tenant.id):
        return list(AuditSeal.objects.order_by("number").values_list("entry_id", flat=True))


def only_chain() -> Chain:
    (chain,) = verify_audit()
    return chain


def test_every_entry_is_sealed_once_in_its_tenants_own_order(tenant: Tenant) -> None:
    other = Tenant.objects.create(slug="other", name="Other", created_at=MONDAY_9)
    for one in (tenant, other, tenant):
        act(one, 2)

    assert seal_audit(now=MONDAY_9) == 6
    assert seal_audit(now=MONDAY_9) == 0

    for one, count in ((tenant, 4), (other, 2)):
        with reading(one.id):
            numbers = list(AuditSeal.objects.order_by("entry_id").values_list("number", flat=True))
            assert numbers == list(range(1, count + 1))
            assert not AuditEntry.objects.filter(sealed_at__isnull=True).exists()
    assert verify_audit() == [Chain(tenant=tenant.id, sealed=4), Chain(tenant=other.id, sealed=2)]


def test_an_entry_that_commits_late_is_sealed_late_and_once(
    tenant: Tenant, migrated_database: ThrowawayDatabase
) -> None:
    with psycopg.connect(migrated_database.roles["app"]) as slow:
        slow.execute("select set_config('app.tenant', %s, true)", [str(tenant.id)])
        slow.execute(
            "insert into accounts_auditentry (tenant_id, at, actor_kind, act, thing, before, after)"
            " values (%s, now(), 'system', 'slow', 'x', '{}', '{}')",
            [tenant.id],
        )
        act(tenant, 2)
        seal_audit(now=MONDAY_9)
        slow.commit()

    assert seal_audit(now=MONDAY_9) == 1
    first, *rest = sorted(entries_in_order(tenant))
    assert entries_in_order(tenant) == [*rest, first]
    assert only_chain() == Chain(tenant=tenant.id, sealed=3)


def test_sealers_that_come_together_seal_each_entry_once(tenant: Tenant) -> None:
    act(tenant, 40)
    done, start = list[int](), threading.Barrier(4)

    def sealer() -> None:
        start.wait()
        for _ in range(5):
            done.append(seal_audit(now=MONDAY_9))
        connections.close_all()

    threads = [threading.Thread(target=sealer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(done) == 40
    assert only_chain() == Chain(tenant=tenant.id, sealed=40)


def test_while_one_seals_another_leaves_the_round_to_it(
    tenant: Tenant, migrated_database: ThrowawayDatabase
) -> None:
    act(tenant)
    with psycopg.connect(migrated_database.roles["worker"]) as sealer:
        sealer.execute("select pg_advisory_xact_lock(hashtext('flowdesk.seal_audit'))")
        assert seal_audit(now=MONDAY_9) == 0

    assert seal_audit(now=MONDAY_9) == 1


def test_a_chain_longer_than_a_batch_is_walked_to_its_end(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, vandal: psycopg.Connection[Any]
) -> None:
    monkeypatch.setattr(audit_chain, "BATCH", 3)
    act(tenant, 8)
    while seal_audit(now=MONDAY_9):
        pass

    assert only_chain() == Chain(tenant=tenant.id, sealed=8)
    vandal.execute(
        "update accounts_auditentry set thing_id = 99 where id = %s", [entries_in_order(tenant)[7]]
    )
    assert (only_chain().fault, only_chain().number) == (Break.CHANGED, 8)


@pytest.mark.parametrize("alias", ["app", "worker"])
@pytest.mark.parametrize(
    "statement",
    [
        "update accounts_auditentry set act = 'nothing'",
        "update accounts_auditentry set at = now()",
        "delete from accounts_auditentry",
        "truncate accounts_auditentry cascade",
        "update accounts_auditseal set digest = 'x'",
        "update accounts_auditseal set number = number + 1",
        "delete from accounts_auditseal",
        "truncate accounts_auditseal",
    ],
)
def test_no_serving_role_can_change_what_was_audited(
    tenant: Tenant, migrated_database: ThrowawayDatabase, alias: str, statement: str
) -> None:
    sealed_chain(tenant)
    with psycopg.connect(migrated_database.roles[alias]) as role:
        role.execute("select set_config('app.tenant', %s, true)", [str(tenant.id)])
        with pytest.raises(errors.InsufficientPrivilege):
            role.execute(statement)


def test_the_app_cannot_even_mark_an_entry_as_sealed(
    tenant: Tenant, migrated_database: ThrowawayDatabase
) -> None:
    act(tenant)
    with psycopg.connect(migrated_database.roles["app"]) as app:
        app.execute("select set_config('app.tenant', %s, true)", [str(tenant.id)])
        with pytest.raises(errors.InsufficientPrivilege):
            app.execute("update accounts_auditentry set sealed_at = now()")


TAMPERINGS = {
    "a changed entry": (
        "update accounts_auditentry set after = '{\"scopes\": []}' where id = %(third)s",
        (Break.CHANGED, 3),
    ),
    "a changed instant": (
        "update accounts_auditentry set at = at + interval '1 microsecond' where id = %(third)s",
        (Break.CHANGED, 3),
    ),
    "a changed actor": (
        "update accounts_auditentry set actor_id = 7 where id = %(third)s",
        (Break.CHANGED, 3),
    ),
    "a removed entry": ("delete from accounts_auditentry where id = %(third)s", (Break.REMOVED, 3)),
    "a removed seal": ("delete from accounts_auditseal where entry_id = %(third)s", (Break.REMOVED, 3)),
    "entry and seal removed, the rest moved up": (
        "delete from accounts_auditentry where id = %(third)s;"
        "delete from accounts_auditseal where entry_id = %(third)s;"
        "update accounts_auditseal set number = number - 1 where number = 4;"
        "update accounts_auditseal set number = number - 1 where number = 5",
        (Break.CHANGED, 3),
    ),
    "two entries that changed places": (
        "update accounts_auditseal set entry_id = -1 where entry_id = %(third)s;"
        "update accounts_auditseal set entry_id = %(third)s where entry_id = %(fourth)s;"
        "update accounts_auditseal set entry_id = %(fourth)s where entry_id = -1",
        (Break.CHANGED, 3),
    ),
    "an entry put in the middle": (
        "update accounts_auditseal set number = 6 where number = 5;"
        "update accounts_auditseal set number = 5 where number = 4;"
        "update accounts_auditseal set number = 4 where number = 3;"
        "insert into accounts_auditentry (id, tenant_id, at, actor_kind, act, thing, before, after, sealed_at)"
        " values (-5, %(tenant)s, now(), 'system', 'x', 'x', '{}', '{}', now());"
        "insert into accounts_auditseal (tenant_id, entry_id, number, digest, sealed_at)"
        " values (%(tenant)s, -5, 3, sha256('x'), now())",
        (Break.CHANGED, 3),
    ),
    "an entry that only says it is sealed": (
        "insert into accounts_auditentry (id, tenant_id, at, actor_kind, act, thing, before, after, sealed_at)"
        " values (-5, %(tenant)s, now(), 'system', 'x', 'x', '{}', '{}', now())",
        (Break.INSERTED, None),
    ),
    "the end cut off": (
        "delete from accounts_auditseal where number >= 4;"
        "delete from accounts_auditentry where id >= %(fourth)s",
        (Break.TRUNCATED, 4),
    ),
    "everything cut off": (
        "delete from accounts_auditseal; delete from accounts_auditentry",
        (Break.TRUNCATED, 1),
    ),
}


@pytest.mark.parametrize("how", sorted(TAMPERINGS))
def test_tampering_is_found_at_its_place(tenant: Tenant, vandal: psycopg.Connection[Any], how: str) -> None:
    statements, found = TAMPERINGS[how]
    ids = sealed_chain(tenant)
    assert only_chain().fault is None

    values = {"third": ids[2], "fourth": ids[3], "tenant": tenant.id}
    for statement in statements.split(";"):
        vandal.execute(statement, values)

    assert (only_chain().fault, only_chain().number) == found


def test_a_chain_written_anew_is_whole_and_yet_passes_no_kept_head(
    tenant: Tenant, vandal: psycopg.Connection[Any]
) -> None:
    ids = sealed_chain(tenant)
    heads = kept_heads()
    vandal.execute("delete from accounts_auditseal")
    vandal.execute("update accounts_auditentry set sealed_at = null, actor_id = 7 where id = %s", [ids[1]])
    vandal.execute("update accounts_auditentry set sealed_at = null")
    seal_audit(now=MONDAY_9)

    assert verify_audit([])[0].fault is None  # this is what the chain alone cannot tell
    assert (verify_audit(heads)[0].fault, verify_audit(heads)[0].number) == (Break.REWRITTEN, 5)


def test_a_tenant_that_vanished_with_its_chain_is_missed(
    tenant: Tenant, vandal: psycopg.Connection[Any]
) -> None:
    sealed_chain(tenant)
    for table in ("accounts_auditseal", "accounts_auditentry", "accounts_tenant"):
        vandal.execute(f"delete from {table}")

    assert only_chain() == Chain(tenant=tenant.id, fault=Break.TRUNCATED, number=1)


def test_what_waits_for_its_seal_is_counted(tenant: Tenant) -> None:
    sealed_chain(tenant)
    act(tenant, 2)

    assert only_chain() == Chain(tenant=tenant.id, sealed=5, unsealed=2)
    assert only_chain().words == f"tenant {tenant.id}: 5 entries hold, 2 wait for their seal"


def test_the_heads_follow_the_chain_and_never_go_back(tenant: Tenant, data_folder: Path) -> None:
    sealed_chain(tenant, 3)
    early = kept_heads()
    sealed_chain(tenant, 2)
    keep_heads(early)

    assert [head.number for head in kept_heads()] == [5]
    assert all(head.is_ours for head in kept_heads())
    assert (data_folder / audit_chain.HEADS_FILE).stat().st_mode & 0o777 == 0o600


def test_a_head_made_elsewhere_is_told_from_ours(tenant: Tenant) -> None:
    sealed_chain(tenant)
    forged = replace(signed_head(tenant.id, 5, bytes(32)), signature="0" * 64)

    assert verify_audit([forged])[0].fault is Break.FORGED_HEAD


@pytest.mark.parametrize("written", ["{", '[{"tenant": 1}]', "[1]"])
def test_a_file_of_heads_that_somebody_wrote_into_is_told(
    tenant: Tenant, data_folder: Path, written: str
) -> None:
    sealed_chain(tenant)
    (data_folder / audit_chain.HEADS_FILE).write_text(written)

    with pytest.raises(HeadsUnreadable):
        verify_audit()


def test_an_entry_tells_whether_its_seal_holds(tenant: Tenant, vandal: psycopg.Connection[Any]) -> None:
    ids = sealed_chain(tenant, 3)
    act(tenant)
    vandal.execute("update accounts_auditentry set thing_id = 99 where id = %s", [ids[1]])

    with reading(tenant.id):
        lines = audit_page(AuditFilter(), limit=10)

    assert [(line.number, line.seal) for line in lines] == [
        (None, SealState.WAITING),
        (3, SealState.HOLDS),
        (2, SealState.BROKEN),
        (1, SealState.HOLDS),
    ]


def test_the_entries_are_found_by_act_actor_and_time(tenant: Tenant) -> None:
    with writing(tenant.id):
        for days, (what, by) in enumerate(
            [("key_created", system(tenant.id)), ("key_revoked", system(tenant.id))]
        ):
            record_act(what, thing="api_key", thing_id=1, by=by, at=MONDAY_9 + timedelta(days=days))

    def found(**wanted: Any) -> list[str]:
        with reading(tenant.id):
            return [line.entry.act for line in audit_page(AuditFilter(**wanted), limit=10)]

    assert found() == ["key_revoked", "key_created"]
    assert found(act="key_created") == ["key_created"]
    assert found(actor_kind="system") == ["key_revoked", "key_created"]
    assert found(actor_kind="user", actor_id=1) == []
    assert found(since=MONDAY_9 + timedelta(days=1)) == ["key_revoked"]
    assert found(until=MONDAY_9 + timedelta(days=1)) == ["key_created"]


def test_a_head_is_json_that_a_backup_can_carry(tenant: Tenant, data_folder: Path) -> None:
    sealed_chain(tenant)

    carried = json.loads((data_folder / audit_chain.HEADS_FILE).read_text())

    assert [audit_chain.Head(**head) for head in carried] == kept_heads()
