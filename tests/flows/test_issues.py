"""New tickets are looked at once: duplicates by rule, and issues that recur."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from flowdesk.core.actor import Actor, ActorKind, Role, system
from flowdesk.core.errors import Forbidden, Invalid, NotFound
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.core.versions import Outdated
from flowdesk.escalation.models import Escalation
from flowdesk.flows import issues as looking
from flowdesk.flows import merge, work
from flowdesk.policies.services import pack_source, save_revision
from flowdesk.tickets.models import Merge, Ticket, TicketEvent
from flowdesk.triage import doubles, issues, similar
from flowdesk.triage.models import Issue, IssueMember, IssueStatus, TicketDigest
from flowdesk.worker.jobs.look_at import look_at_new
from tests.builders import MONDAY_9, World, a_customer, a_world
from tests.flows.story import DAY, HOUR, MINUTE
from tests.flows.test_fold import assert_fold_is_stored
from tests.triage.desk import everyday, index_all, opened

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

FAULT = ("Export fails with E4021", "The export of reports stops with E4021")
OTHER = ("Printer jams in tray two", "The printer jams whenever tray two is used, code J77")


@pytest.fixture
def world() -> World:
    world = a_world()
    for name in ("Nordvik", "Ekberg", "Fjord", "Alder"):
        a_customer(world, name=name, tier="starter")
    everyday(world)
    looked(at=MONDAY_9)
    return world


def looked(*, at: datetime = MONDAY_9) -> int:
    """Index and look at whatever is new."""
    index_all(at=at)
    done = 0
    while some := look_at_new(now=at):
        done += some
    similar._kept.clear()
    return done


def comes(
    world: World, *, name: str = "nordvik", at: datetime = MONDAY_9, what: tuple[str, str] = FAULT
) -> int:
    """A ticket comes in and is looked at."""
    ticket = opened(world, *what, at=at, email=f"maja@{name}.example")
    looked(at=at)
    return ticket


def the_issues(world: World) -> list[tuple[str, int]]:
    with reading(world.tenant.id):
        return [(one.title, one.tickets) for one in issues.issue_page(limit=50)]  # type: ignore[attr-defined]


def name_of(world: World, ticket: int) -> str:
    with reading(world.tenant.id):
        return shown("tkt", Ticket.objects.get(id=ticket).public_id)


def the_issue(world: World) -> str:
    with reading(world.tenant.id):
        return shown("iss", Issue.objects.get().public_id)


def with_rule(world: World, mode: str, *, more: str = "") -> None:
    rule = "duplicates: {mode: off, merge_from: 0.9, within: 24 h, same_contact: true}"
    source = pack_source()
    assert rule in source
    source = source.replace(rule, f"duplicates: {{mode: {mode}, merge_from: 0.9{more}}}")
    with writing(world.tenant.id):
        save_revision(source, by=system(world.tenant.id), at=MONDAY_9)


# -- issues


def test_three_tickets_alike_are_an_issue_named_after_the_one_in_its_middle(world: World) -> None:
    comes(world)
    comes(world, name="ekberg")
    assert the_issues(world) == []

    comes(world, name="fjord", at=MONDAY_9 + HOUR)

    assert the_issues(world) == [(FAULT[0], 3)]
    with reading(world.tenant.id):
        issue = Issue.objects.get()
        assert (issue.status, issue.opened_at, issue.last_seen_at) == (
            "open",
            MONDAY_9 + HOUR,
            MONDAY_9 + HOUR,
        )


def test_later_ones_join_and_others_do_not(world: World) -> None:
    for name in ("nordvik", "ekberg", "fjord"):
        comes(world, name=name)

    comes(world, name="alder", at=MONDAY_9 + DAY)
    comes(world, at=MONDAY_9 + DAY, what=OTHER)

    assert the_issues(world) == [(FAULT[0], 4)]
    with reading(world.tenant.id):
        assert Issue.objects.get().last_seen_at == MONDAY_9 + DAY


def test_an_issue_takes_what_comes_later_however_old_its_middle_is(world: World) -> None:
    for name in ("nordvik", "ekberg", "fjord"):
        comes(world, name=name)

    for day in (6, 12, 18, 40):
        comes(world, name="alder", at=MONDAY_9 + day * DAY)

    assert the_issues(world) == [(FAULT[0], 7)]
    with reading(world.tenant.id):
        (issue,) = issues.issue_page(limit=2)
    assert (issue.first_seen_at, issue.last_seen_at) == (MONDAY_9, MONDAY_9 + 40 * DAY)


def two_issues(world: World) -> tuple[str, str]:
    """Of the same kind, the older first: one was closed while the other opened, and is taken up again."""
    for name in ("nordvik", "ekberg", "fjord"):
        comes(world, name=name)
    older = the_issue(world)
    issues.change_issue(older, status=IssueStatus.CLOSED, by=world.bo, now=MONDAY_9)
    for name in ("nordvik", "ekberg", "fjord"):
        comes(world, name=name, at=MONDAY_9 + HOUR)
    issues.change_issue(older, status=IssueStatus.OPEN, by=world.bo, now=MONDAY_9)
    assert the_issues(world) == [(FAULT[0], 3), (FAULT[0], 3)]
    with reading(world.tenant.id):
        younger = Issue.objects.latest("id")
    return older, shown("iss", younger.public_id)


def test_of_two_issues_of_one_kind_the_older_takes_the_next_ticket_and_the_others(world: World) -> None:
    older, younger = two_issues(world)

    comes(world, name="alder", at=MONDAY_9 + 2 * HOUR)

    assert the_issues(world) == [(FAULT[0], 7)]
    assert the_issue(world) == older
    with reading(world.tenant.id), pytest.raises(NotFound):
        issues.issue_by(younger)
    with reading(world.tenant.id):
        assert Issue.objects.get().last_seen_at == MONDAY_9 + 2 * HOUR


@pytest.mark.parametrize(
    "deed", [{"status": IssueStatus.KNOWN}, {"title": "Ours"}, {"fix_note": "Use 4.2"}, {}], ids=str
)
def test_an_issue_that_somebody_has_worked_on_keeps_its_tickets(world: World, deed: dict[str, Any]) -> None:
    _older, younger = two_issues(world)
    if deed:
        issues.change_issue(younger, by=world.bo, now=MONDAY_9, **deed)
    else:
        with reading(world.tenant.id):
            last = Ticket.objects.latest("id").id
        issues.take_out(younger, name_of(world, last), by=world.bo, now=MONDAY_9)

    comes(world, name="alder", at=MONDAY_9 + 2 * HOUR)

    assert sorted(count for _, count in the_issues(world)) == ([3, 4] if deed else [2, 4])


def test_tickets_alike_that_lie_far_apart_are_no_issue(world: World) -> None:
    for week in range(4):
        comes(world, at=MONDAY_9 + 8 * week * DAY)

    assert the_issues(world) == []


def test_how_many_and_how_close_is_the_tenants_to_say(world: World) -> None:
    known = "recurring: {count: 3, within: 168 h}"
    source = pack_source()
    assert known in source
    with writing(world.tenant.id):
        source = source.replace(known, "recurring: {count: 2, within: 12 h}")
        save_revision(source, by=system(world.tenant.id), at=MONDAY_9)

    comes(world)
    comes(world, name="ekberg", at=MONDAY_9 + 13 * HOUR)
    assert the_issues(world) == []
    comes(world, name="fjord", at=MONDAY_9 + 14 * HOUR)

    assert the_issues(world) == [(FAULT[0], 2)]


def test_opening_an_issue_calls_engineering_once_and_joining_calls_nobody(world: World) -> None:
    for name in ("nordvik", "ekberg", "fjord", "alder"):
        comes(world, name=name)
    looked()

    with reading(world.tenant.id):
        (called,) = Escalation.objects.filter(rule="recurring_issue")
        assert called.due_at == MONDAY_9 + DAY
        assert called.ticket_id == Issue.objects.get().representative_id
        assert called.agent_id == world.ada_agent.id
    assert_fold_is_stored(world, at=MONDAY_9)


def test_a_ticket_is_looked_at_once_whoever_looks(world: World) -> None:
    for name in ("nordvik", "ekberg", "fjord"):
        opened(world, *FAULT, email=f"maja@{name}.example")
    index_all()
    gate = threading.Barrier(3)

    def look() -> None:
        gate.wait()
        try:
            look_at_new(now=MONDAY_9)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()

    assert the_issues(world) == [(FAULT[0], 3)]
    with reading(world.tenant.id):
        assert Escalation.objects.filter(rule="recurring_issue").count() == 1
        assert not TicketDigest.objects.filter(needs_look=True).exists()


def test_old_tickets_that_are_brought_in_are_not_looked_at(world: World) -> None:
    for name in ("nordvik", "ekberg", "fjord"):
        opened(world, *FAULT, email=f"maja@{name}.example")

    assert looked(at=MONDAY_9 + 2 * DAY) == 0
    assert the_issues(world) == []


def test_each_tenant_has_issues_of_its_own(world: World) -> None:
    other = a_world("birch")
    a_customer(other, name="Nordvik")
    for _ in range(2):
        comes(other)
        comes(world)
    assert the_issues(world) == the_issues(other) == []
    comes(other)

    assert (the_issues(world), the_issues(other)) == ([], [(FAULT[0], 3)])
    with pytest.raises(NotFound):
        issues.change_issue(the_issue(other), status=IssueStatus.KNOWN, by=world.bo, now=MONDAY_9)


def test_what_was_taken_out_stays_out_and_what_was_put_in_leaves_its_old_issue(world: World) -> None:
    first = comes(world)
    for name in ("ekberg", "fjord"):
        comes(world, name=name)
    issue = the_issue(world)

    issues.take_out(issue, name_of(world, first), by=world.bo, now=MONDAY_9)
    comes(world, name="alder")

    assert the_issues(world) == [(FAULT[0], 3)]
    with reading(world.tenant.id):
        assert issues.issue_of(first) is None
    issues.add_ticket(issue, name_of(world, first), by=world.bo, now=MONDAY_9)
    issues.add_ticket(issue, name_of(world, first), by=world.bo, now=MONDAY_9)
    assert the_issues(world) == [(FAULT[0], 4)]
    with pytest.raises(NotFound):
        issues.take_out(issue, name_of(world, comes(world, what=OTHER)), by=world.bo, now=MONDAY_9)


def test_a_closed_issue_takes_in_no_more_and_three_new_ones_open_another(world: World) -> None:
    for name in ("nordvik", "ekberg", "fjord"):
        comes(world, name=name)
    issues.change_issue(the_issue(world), status=IssueStatus.CLOSED, by=world.bo, now=MONDAY_9)

    comes(world, name="alder", at=MONDAY_9 + HOUR)
    comes(world, name="ekberg", at=MONDAY_9 + HOUR)
    assert the_issues(world) == [(FAULT[0], 3)]
    comes(world, name="fjord", at=MONDAY_9 + 2 * HOUR)

    assert the_issues(world) == [(FAULT[0], 3), (FAULT[0], 3)]
    with reading(world.tenant.id):
        assert IssueMember.objects.values("ticket_id").distinct().count() == 6


def test_an_issue_is_changed_field_by_field_on_the_version_that_was_seen(world: World) -> None:
    for name in ("nordvik", "ekberg", "fjord"):
        comes(world, name=name)
    name = the_issue(world)

    seen = issues.change_issue(name, status=IssueStatus.FIXED, by=world.bo, now=MONDAY_9).version
    changed = issues.change_issue(name, title="Exports", fix_note=" Use 4.2 ", by=world.bo, now=MONDAY_9)

    assert (changed.status, changed.title, changed.fix_note) == ("fixed", "Exports", "Use 4.2")
    with pytest.raises(Outdated):
        issues.change_issue(name, title="A", by=world.bo, now=MONDAY_9, expected=frozenset({seen}))
    for bad in ({"title": " "}, {"title": "x" * 301}, {"fix_note": "x" * 20_001}, {"fix_note": "\x00"}):
        with pytest.raises(Invalid):
            issues.change_issue(name, by=world.bo, now=MONDAY_9, **bad)
    reader = Actor(tenant=world.tenant.id, role=Role.AUDITOR, kind=ActorKind.USER, id=1, name="Rut")
    with pytest.raises(Forbidden):
        issues.change_issue(name, title="A", by=reader, now=MONDAY_9)


def test_the_days_of_an_issue_are_counted(world: World) -> None:
    for day, name in ((0, "nordvik"), (1, "ekberg"), (1, "fjord")):
        comes(world, name=name, at=MONDAY_9 + day * DAY)

    with reading(world.tenant.id):
        issue = Issue.objects.get()
        assert issues.seen_by_day([issue.id], since=MONDAY_9, days=3) == {issue.id: (1, 2, 0)}


# -- duplicates by rule


def merges(world: World) -> list[tuple[int, int, str, int | None]]:
    with reading(world.tenant.id):
        rows = Merge.objects.order_by("id")
        return list(rows.values_list("source_id", "target_id", "because", "likeness_percent"))


def test_the_rule_merges_a_new_ticket_into_the_older_one_of_the_same_contact(world: World) -> None:
    with_rule(world, "active")
    first = comes(world)
    stranger = comes(world, name="ekberg")

    second = comes(world, at=MONDAY_9 + MINUTE)

    assert merges(world) == [(second, first, "by_rule", 100)]
    with reading(world.tenant.id):
        assert Ticket.objects.get(id=stranger).status != "merged"
    assert looked(at=MONDAY_9 + MINUTE) == 0
    assert_fold_is_stored(world, at=MONDAY_9 + MINUTE)
    merge.unmerge(name_of(world, second), by=world.bo, now=MONDAY_9 + HOUR)
    looked(at=MONDAY_9 + HOUR)
    assert len(merges(world)) == 1, "what somebody took apart is not merged again"


def test_in_shadow_the_rule_only_says_what_it_would_do(world: World) -> None:
    with_rule(world, "shadow")
    first = comes(world)
    second = comes(world)
    looked()

    assert merges(world) == []
    with reading(world.tenant.id):
        (line,) = TicketEvent.objects.filter(kind="duplicate_seen")
        number = Ticket.objects.get(id=first).number
    assert line.ticket_id == second
    assert (line.data["target"], line.data["number"], line.data["percent"]) == (first, number, 100)
    assert_fold_is_stored(world, at=MONDAY_9)


def test_without_the_rule_nothing_is_merged(world: World) -> None:
    for _ in range(2):
        comes(world)

    assert merges(world) == []


@pytest.mark.parametrize("reason", ["answered", "resolved", "too old", "other words", "set aside"])
def test_the_rule_leaves_alone(world: World, reason: str) -> None:
    with_rule(world, "active", more=", within: 24 h")
    first, later = comes(world), MONDAY_9 + HOUR
    match reason:
        case "resolved":
            work.resolve(name_of(world, first), by=world.bo, now=MONDAY_9 + MINUTE)
        case "set aside":
            work.void(name_of(world, first), by=world.bo, now=MONDAY_9 + MINUTE)
        case "too old":
            later = MONDAY_9 + 25 * HOUR
    second = opened(world, *(OTHER if reason == "other words" else FAULT), at=later)
    if reason == "answered":
        work.send_reply(name_of(world, second), text="Yes?", by=world.bo, now=later)

    looked(at=later)

    assert merges(world) == []


def test_the_rule_for_a_whole_customer_never_reaches_another_one(world: World) -> None:
    with_rule(world, "active", more=", same_contact: false")
    comes(world)

    comes(world, name="ekberg")

    assert merges(world) == []


def test_a_worker_that_dies_between_its_parts_does_nothing_twice(world: World) -> None:
    with_rule(world, "active")
    first = comes(world)
    second = comes(world)
    with writing(world.tenant.id):
        TicketDigest.objects.update(needs_look=True)

    looked()

    assert merges(world) == [(second, first, "by_rule", 100)]


def test_one_ticket_that_cannot_be_looked_at_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = opened(world, *FAULT)
    good = opened(world, *OTHER)
    real = looking.place_ticket

    def place(ticket: Ticket, *, at: datetime) -> object:
        if ticket.id == bad:
            raise RuntimeError("this one")
        return real(ticket, at=at)

    monkeypatch.setattr(looking, "place_ticket", place)
    looked()

    with reading(world.tenant.id):
        assert not TicketDigest.objects.filter(ticket_id__in=[bad, good], needs_look=True).exists()


# -- what could be cleaned up


def listed(world: World, *, least: float = 0.6, at: datetime = MONDAY_9) -> list[tuple[int, int]]:
    with reading(world.tenant.id):
        return [(one.source.id, one.target.id) for one in doubles.doubles(now=at, least=least)]


def test_tickets_of_one_person_that_are_alike_are_listed_beside_the_oldest(world: World) -> None:
    first, second, third = (opened(world, *FAULT) for _ in range(3))
    opened(world, *FAULT, email="maja@ekberg.example")
    opened(world, *OTHER)
    index_all()

    assert listed(world) == [(third, first), (second, first)]

    merge.merge(name_of(world, third), into=name_of(world, first), by=world.bo, now=MONDAY_9)
    work.resolve(name_of(world, second), by=world.bo, now=MONDAY_9)
    assert listed(world) == []


def test_what_is_listed_is_of_late_and_of_ones_own_tenant(world: World) -> None:
    other = a_world("birch")
    a_customer(other, name="Nordvik")
    opened(other, *FAULT)
    opened(world, *FAULT)
    pair = opened(world, *FAULT)
    index_all()

    assert listed(other) == []
    assert [source for source, _ in listed(world)] == [pair]
    assert listed(world, at=MONDAY_9 + timedelta(days=31)) == []
