"""Files of tickets become tickets with a past."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db.models import Max
from django.db.models.functions import Length

from flowdesk.accounts.models import AuditEntry
from flowdesk.core.actor import system
from flowdesk.core.errors import Forbidden
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.escalation.models import Escalation
from flowdesk.flows.import_tickets import BATCH, import_tickets, next_batch
from flowdesk.intake.bulk import runs
from flowdesk.intake.bulk.files import KEPT, Record
from flowdesk.intake.bulk.runs import Order, Overtaken, RunEnded, begin_local_run, cancel_run, refused_report
from flowdesk.intake.bulk.states import FileFormat, RunState
from flowdesk.intake.models import ImportRun, RefusedRow
from flowdesk.notifications.services import dispatch
from flowdesk.people.models import Agent, Contact, Customer, Team
from flowdesk.policies.services import current_policy
from flowdesk.sla.fold import fold
from flowdesk.sla.models import Clock
from flowdesk.sla.services import load_clocks
from flowdesk.tickets.models import Explanation, Message, Ticket, TicketCounter, TicketEvent
from tests.builders import MONDAY_9, World, a_customer, a_world
from tests.flows.story import come_back, next_instant

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = MONDAY_9 + 10 * DAY


def at(hours: float) -> str:
    return (MONDAY_9 + hours * HOUR).isoformat()


def a_row(**values: Any) -> dict[str, Any]:
    row = {
        "external_ref": "A-1",
        "subject": "Invoice is wrong",
        "text": "The invoice of May is wrong.",
        "email": "lena@kund.example",
        "name": "Lena Ek",
        "created_at": at(0),
        "priority": "high",
        "category": "billing",
        **values,
    }
    return {name: value for name, value in row.items() if value is not None}


SOLVED = {"first_response_at": at(1), "resolved_at": at(3), "status": "resolved"}
CLOSED = {"first_response_at": at(1), "resolved_at": at(3), "closed_at": at(50), "status": "closed"}


def a_file(*rows: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def begun(world: World, data: bytes, form: FileFormat = FileFormat.JSONL, **how: Any) -> ImportRun:
    return begin_local_run(
        Order(name="tickets", format=form, **how), digest=sha256(data).digest(), size=len(data),
        by=system(world.tenant.id), now=NOW,
    )  # fmt: skip


class Bytes(io.BytesIO, io.RawIOBase):  # type: ignore[misc]
    """A file in memory, read as one on disk is."""


def carried_on(world: World, run: ImportRun, data: bytes, *, now: datetime = NOW, **how: Any) -> ImportRun:
    return import_tickets(run, Bytes(data), by=system(world.tenant.id), clock=lambda: now, **how)


def imported(world: World, *rows: Mapping[str, Any], now: datetime = NOW, **how: Any) -> ImportRun:
    data = a_file(*rows)
    return carried_on(world, begun(world, data, **how), data, now=now)


def the_ticket(world: World, ref: str = "A-1") -> Ticket:
    with reading(world.tenant.id):
        return Ticket.objects.select_related("customer", "contact", "team", "assignee").get(external_ref=ref)


def outcomes(world: World) -> dict[str, str]:
    with reading(world.tenant.id):
        return dict(Clock.objects.values_list("metric", "outcome"))


def reasons(world: World, run: ImportRun) -> list[tuple[int, list[list[str]]]]:
    with reading(world.tenant.id):
        return list(run_rows(run))


def run_rows(run: ImportRun) -> Any:
    return RefusedRow.objects.filter(run=run).order_by("line").values_list("line", "faults")


def test_a_closed_ticket_stands_as_its_row_says() -> None:
    world = a_world()
    run = imported(world, a_row(**CLOSED, assignee="bo@global.example", team="tier-1", channel="mail"))

    assert (run.state, run.rows, run.imported, run.refused) == (RunState.DONE, 1, 1, 0)
    ticket = the_ticket(world)
    assert (ticket.status, ticket.priority, ticket.category, ticket.channel) == (
        "closed",
        2,
        "billing",
        "email",
    )
    assert (ticket.created_at, ticket.first_response_at) == (MONDAY_9, MONDAY_9 + HOUR)
    assert (ticket.resolved_at, ticket.closed_at) == (MONDAY_9 + 3 * HOUR, MONDAY_9 + 50 * HOUR)
    assert (ticket.number, ticket.customer.name, ticket.wake_at) == (1, "Lena Ek", None)
    assert ticket.contact is not None
    assert ticket.contact.email == "lena@kund.example"
    assert ticket.assignee_id == world.bo_agent.id
    assert ticket.team_id == world.tier_1.id
    with reading(world.tenant.id):
        assert list(Message.objects.values_list("text", "sent_at")) == [
            ("The invoice of May is wrong.", MONDAY_9)
        ]


def test_met_and_missed_are_decided_by_the_times_in_the_row() -> None:
    world = a_world()
    imported(world, a_row(first_response_at=at(30), resolved_at=at(31)))

    found = outcomes(world)
    assert found["first_response"] == "missed"  # free, P2: one business day from Monday 09:00
    assert found["resolution"] == "met"  # three business days


def test_an_ended_ticket_says_what_its_promises_came_to() -> None:
    world = a_world()
    imported(world, a_row(first_response_at=at(30), resolved_at=at(31)), a_row(external_ref="A-2"))

    ended, active = the_ticket(world), the_ticket(world, "A-2")
    with reading(world.tenant.id):
        clock = Clock.objects.get(ticket_id=ended.id, metric="resolution")
    assert (ended.missed_count, ended.spent_percent) == (1, clock.spent * 100 // clock.target)
    assert (active.missed_count, active.spent_percent) == (0, 0)


def test_clocks_are_a_fold_over_the_events() -> None:
    world = a_world()
    talk = [
        {"author": "agent", "text": "Which one?", "sent_at": at(2)},
        {"author": "customer", "text": "May.", "sent_at": at(4)},
        {"author": "agent", "text": "Mended.", "sent_at": at(5)},
        {"author": "customer", "text": "And June?", "sent_at": at(60)},
    ]
    imported(
        world,
        a_row(**CLOSED),
        a_row(external_ref="A-2", messages=talk, status="closed", resolved_at=at(6), closed_at=at(80)),
        a_row(external_ref="A-3", messages=talk[:2]),
        a_row(external_ref="A-4", status="pending", first_response_at=at(1)),
        a_row(external_ref="A-5", status="on_hold", priority=None, category=None, channel="phone"),
        a_row(external_ref="A-6", priority=None, category=None, text="Everything is down. Urgent!"),
        a_row(external_ref="A-7", **SOLVED),
    )

    with reading(world.tenant.id):
        tickets = list(Ticket.objects.all())
        assert len(tickets) == 7
        for ticket in tickets:
            kept = [one.clock for one in load_clocks(world.tenant.id, [ticket.id])[ticket.id]]
            log = list(TicketEvent.objects.filter(ticket_id=ticket.id).order_by("id"))
            folded = fold(log, policy=current_policy(), to=NOW).promises.clocks
            assert {(one.metric, one.cycle): one for one in kept} == {
                (one.metric, one.cycle): one for one in folded
            }, ticket.external_ref


def test_nobody_is_told_of_what_is_past() -> None:
    world = a_world()
    a_customer(world, tier="enterprise")
    imported(
        world,
        a_row(email="maja@nordvik.example", priority="P1"),
        a_row(external_ref="A-2", **CLOSED),
        a_row(external_ref="A-3", **SOLVED),
    )

    come_back(at=NOW)
    assert dispatch(at=NOW) == 0
    with reading(world.tenant.id):
        assert not Escalation.objects.exists()
    assert the_ticket(world).is_breached


def test_an_active_ticket_wakes_for_what_is_still_to_come() -> None:
    world = a_world()
    imported(world, a_row(created_at=(NOW - HOUR).isoformat()))

    due = the_ticket(world).due_at
    assert due is not None
    assert due > NOW
    wakes = next_instant()
    assert wakes is not None
    assert NOW < wakes <= due


def test_an_active_ticket_is_understood_and_routed_by_the_policy_of_today() -> None:
    world = a_world()
    imported(world, a_row(priority=None, category=None, subject="The API answers 500", text="Urgent."))

    ticket = the_ticket(world)
    assert ticket.category in ("technical", "integration")
    assert ticket.team is not None
    assert ticket.assignee is None  # it waits in the queue, which gives it to somebody on shift
    with reading(world.tenant.id):
        assert set(Explanation.objects.values_list("subject", flat=True)) == {"triage", "priority", "routing"}


def test_an_ended_ticket_is_left_as_its_row_says() -> None:
    world = a_world()
    imported(world, a_row(**CLOSED, priority=None, category=None))

    ticket = the_ticket(world)
    assert (ticket.priority, ticket.category, ticket.team) == (3, "", None)
    with reading(world.tenant.id):
        assert not Explanation.objects.exists()
    assert outcomes(world).get("assignment") in (None, "met")


def test_a_ticket_resolved_long_ago_is_closed_without_a_word() -> None:
    world = a_world()
    imported(world, a_row(**SOLVED))

    ticket = the_ticket(world)
    assert (ticket.status, ticket.closed_at) == ("closed", MONDAY_9 + 3 * HOUR + 5 * DAY)


def test_a_wait_goes_on_and_is_bounded_from_today() -> None:
    world = a_world()
    imported(world, a_row(status="pending", first_response_at=at(1)))

    ticket = the_ticket(world)
    assert ticket.status == "pending"
    assert ticket.wake_at is not None
    assert ticket.wake_at > NOW
    with reading(world.tenant.id):
        assert Clock.objects.get(metric="resolution").state == "paused"


def test_a_conversation_comes_with_its_ticket() -> None:
    world = a_world()
    imported(
        world,
        a_row(
            messages=[
                {"author": "customer", "text": "Hello?", "sent_at": at(3)},
                {"author": "agent", "text": "Which one?", "sent_at": at(2), "agent": "bo@global.example"},
            ]
        ),
    )

    ticket = the_ticket(world)
    assert (ticket.first_response_at, ticket.reply_count) == (MONDAY_9 + 2 * HOUR, 1)
    assert ticket.unanswered_since == MONDAY_9 + 3 * HOUR
    with reading(world.tenant.id):
        said = list(Message.objects.order_by("sent_at").values_list("author_kind", "agent_id"))
    assert said == [("contact", None), ("agent", world.bo_agent.id), ("contact", None)]


def test_people_are_known_or_made_once() -> None:
    world = a_world()
    a_customer(world)
    imported(
        world,
        a_row(external_ref="1", email="Maja@Nordvik.example"),
        a_row(external_ref="2", customer_name="Sjökapten AB", tier="professional"),
        a_row(external_ref="3", customer_name="sjökapten ab", email="olle@sjo.example"),
        a_row(external_ref="4", customer_name="nordvik retail", email="per@nordvik.example"),
        a_row(external_ref="5", email="anna@b.example", name="Anna"),
        a_row(external_ref="6", email="anna@c.example", name="Anna"),
    )

    with reading(world.tenant.id):
        names = list(Customer.objects.order_by("name").values_list("name", "tier"))
        assert names == [
            ("Anna", "free"), ("Anna", "free"), ("Nordvik Retail", "enterprise"), ("Sjökapten AB", "professional"),
        ]  # fmt: skip
        assert Contact.objects.count() == 6
        assert Contact.objects.get(email="per@nordvik.example").customer.name == "Nordvik Retail"


def test_everything_that_is_wrong_with_a_row_is_told_at_once() -> None:
    world = a_world()
    run = imported(
        world,
        a_row(priority="soon", created_at="2026-06-15 09:00", assignee="nobody@global.example", colour="red"),
        a_row(external_ref="A-2", resolved_at=at(-1), status="resolved"),
        a_row(external_ref="A-3", email=None, subject="\x00"),
    )

    assert (run.imported, run.refused) == (0, 3)
    found = {line: {field for field, _ in faults} for line, faults in reasons(world, run)}
    assert found == {
        1: {"priority", "created_at", "assignee", "colour"},
        2: {"resolved_at"},
        3: {"subject", "email"},
    }


def test_a_report_of_refused_rows_can_be_corrected_and_sent_again() -> None:
    world = a_world()
    run = imported(world, a_row(), a_row(external_ref="A-2", priority="soon"))
    (line,) = b"".join(refused_report(run)).splitlines()
    corrected = {**json.loads(line), "priority": "low"}

    again = imported(world, corrected)

    assert "priority: is not one of" in corrected["refused"]
    assert (again.imported, again.refused) == (1, 0)
    assert the_ticket(world, "A-2").priority == 4


def test_a_report_of_a_csv_file_is_a_csv_file() -> None:
    world = a_world()
    data = (
        "Subject;Description;Email;Created at;Priority\r\n"
        f'"One; two";"Two\nlines";a@b.example;{at(0)};low\r\n'
        f"Three;Four;a@b.example;{at(0)};soon\r\n"
    ).encode()
    run = carried_on(world, begun(world, data, FileFormat.CSV), data)

    assert (run.imported, run.refused) == (1, 1)
    report = b"".join(refused_report(run)).decode().splitlines()
    assert report[0] == "Subject;Description;Email;Created at;Priority;refused"
    assert report[1].startswith(f'Three;Four;a@b.example;{at(0)};soon;"line 4: priority: is not one of')
    mended = "\n".join(report).replace(";soon;", ";high;").encode()
    assert carried_on(world, begun(world, mended, FileFormat.CSV), mended).imported == 1


@pytest.mark.parametrize("form", FileFormat)
def test_of_a_long_refused_row_the_beginning_is_kept_and_the_report_stays_whole(form: FileFormat) -> None:
    world = a_world()
    rows = [a_row(text="x" * KEPT + "\n", tier="gold"), a_row(external_ref="A-2", tier="tin")]
    data = a_file(*rows) if form is FileFormat.JSONL else a_table(*rows)
    run = carried_on(world, begun(world, data, form), data)

    assert run.refused == 2
    with reading(world.tenant.id):
        assert RefusedRow.objects.aggregate(most=Max(Length("row")))["most"] == KEPT
    report = b"".join(refused_report(run)).decode()
    told = [json.loads(line) for line in report.splitlines()] if form is FileFormat.JSONL else [
        *csv.DictReader(io.StringIO(report, newline=""))
    ]  # fmt: skip
    assert len(told) == 2
    assert (told[1]["external_ref"], "tier: is not one of" in told[1]["refused"]) == ("A-2", True)


def a_table(*rows: Mapping[str, Any]) -> bytes:
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue().encode()


def test_a_batch_ends_before_it_fills_the_memory() -> None:
    records = (Record(line, {}, b"x" * 1024 * 1024) for line in range(1, 21))

    assert [len(batch) for batch in iter(lambda: next_batch(records), [])] == [8, 8, 4]


def test_a_repeat_does_no_harm() -> None:
    world = a_world()
    first = imported(world, a_row(), a_row(external_ref="A-2"))
    data = a_file(a_row(), a_row(external_ref="A-2"))

    same = begun(world, data)
    again = imported(world, a_row(), a_row(external_ref="A-2"), is_again=True)

    assert same.public_id == first.public_id
    assert (again.imported, again.skipped) == (0, 2)
    with pytest.raises(RunEnded):
        carried_on(world, same, data)


def test_a_row_by_one_name_comes_once_within_a_file() -> None:
    world = a_world()
    run = imported(world, a_row(), a_row(subject="The same again"))

    assert (run.imported, run.skipped) == (1, 1)
    assert the_ticket(world).subject == "Invoice is wrong"


def test_a_dry_run_tells_everything_and_changes_nothing() -> None:
    world = a_world()
    run = imported(world, a_row(), a_row(external_ref="A-2", tier="gold"), is_dry=True)

    assert (run.imported, run.refused, run.state) == (1, 1, RunState.DONE)
    with reading(world.tenant.id):
        assert not Ticket.objects.exists()
        assert not Contact.objects.exists()
        assert TicketCounter.objects.get().next_number == 1
    assert imported(world, a_row()).imported == 1


def test_an_import_that_was_cut_off_goes_on_with_the_next_row() -> None:
    world = a_world()
    rows = [a_row(external_ref="", subject=f"Row {number}") for number in range(BATCH + 3)]
    data = a_file(*rows)
    run = begun(world, data)
    told: list[int] = []
    cut = carried_on(
        world, run, data, tell=lambda run: told.append(run.rows), is_called_off=lambda: bool(told)
    )

    assert (cut.is_open, cut.rows) == (True, BATCH)
    done = carried_on(world, begun(world, data), data)

    assert (done.state, done.rows, done.imported) == (RunState.DONE, BATCH + 3, BATCH + 3)
    with reading(world.tenant.id):
        assert Ticket.objects.values("subject").distinct().count() == Ticket.objects.count() == BATCH + 3
        assert list(Ticket.objects.order_by("id").values_list("number", flat=True)) == list(
            range(1, BATCH + 4)
        )


def test_what_rows_may_name_is_looked_up_anew_for_each_batch() -> None:
    world = a_world()
    rows = [a_row(external_ref="", subject=f"Row {number}", team="tier-1") for number in range(BATCH + 2)]
    data = a_file(*rows)

    def rename(_: ImportRun) -> None:
        with writing(world.tenant.id):
            Team.objects.filter(id=world.tier_1.id).update(slug="first-line", name="First line")

    done = carried_on(world, begun(world, data), data, tell=rename)

    assert (done.state, done.imported, done.refused) == (RunState.DONE, BATCH, 2)
    assert [line for line, _ in reasons(world, done)] == [BATCH + 1, BATCH + 2]


def test_what_stands_before_a_fault_of_the_file_comes_in() -> None:
    world = a_world()
    rows = [
        a_row(external_ref="", text=random.Random(number).randbytes(200).hex()) for number in range(BATCH + 9)
    ]
    packed = gzip.compress(a_file(*rows))
    cut = packed[: len(packed) * BATCH // (BATCH + 9) + 1_000]

    done = carried_on(world, begun(world, cut), cut)

    assert (done.state, done.rows, done.imported) == (RunState.FAILED, BATCH, BATCH)
    assert "gzip file is broken" in done.fault
    with reading(world.tenant.id):
        assert Ticket.objects.count() == BATCH


def test_words_come_in_letter_by_letter() -> None:
    world = a_world()
    text = "C:\\new\\table\n\tindented \\N\r\n\\.\nGrüße 東京 🙂"
    imported(world, a_row(text=text, fields=None, subject="a\\b"))

    with reading(world.tenant.id):
        assert Message.objects.get().text == text
    assert the_ticket(world).subject == "a\\b"


def test_two_readers_of_one_run_do_not_import_a_row_twice() -> None:
    world = a_world()
    rows = [a_row(external_ref="", subject=f"Row {number}") for number in range(BATCH + 3)]
    data = a_file(*rows)
    run = begun(world, data)

    def other_reader(_: ImportRun) -> None:
        carried_on(world, run, data)

    with pytest.raises((Overtaken, RunEnded)):
        carried_on(world, run, data, tell=lambda _: other_reader(_) if not ended(world) else None)
    with reading(world.tenant.id):
        assert Ticket.objects.count() == BATCH + 3


def ended(world: World) -> bool:
    with reading(world.tenant.id):
        return not ImportRun.objects.get().is_open


def test_a_run_that_is_called_off_stops_and_keeps_what_is_in() -> None:
    world = a_world()
    data = a_file(*(a_row(external_ref=str(number)) for number in range(2 * BATCH)))
    run = begun(world, data)
    by = system(world.tenant.id)

    def call_off(run: ImportRun) -> None:
        cancel_run(shown(runs.PREFIX, run.public_id), by=by, now=NOW)

    left = carried_on(world, run, data, tell=call_off)

    assert (left.state, left.imported) == (RunState.CANCELLED, BATCH)
    with pytest.raises(RunEnded):
        cancel_run(shown(runs.PREFIX, run.public_id), by=by, now=NOW)


def test_the_same_file_carries_on_a_run_that_was_called_off() -> None:
    world = a_world()
    data = a_file(*(a_row(external_ref="", subject=f"Row {number}") for number in range(BATCH + 3)))
    run = begun(world, data)
    by = system(world.tenant.id)

    def call_off(run: ImportRun) -> None:
        cancel_run(shown(runs.PREFIX, run.public_id), by=by, now=NOW)

    carried_on(world, run, data, tell=call_off)

    done = carried_on(world, begun(world, data), data)

    assert (done.public_id, done.state, done.imported) == (run.public_id, RunState.DONE, BATCH + 3)
    with reading(world.tenant.id):
        assert Ticket.objects.count() == BATCH + 3


@pytest.mark.parametrize(
    ("data", "form", "words"),
    [
        (b"", FileFormat.CSV, "empty"),
        (b"  \n\n", FileFormat.JSONL, "empty"),
        ("subject,text".encode("utf-16"), FileFormat.CSV, "UTF-16"),
        (b"\x1f\x8b\x08\x00broken", FileFormat.CSV, "gzip"),
        (b'[{"subject": "x"}]', FileFormat.JSONL, "JSON array"),
        (b"Subject,Colour\nx,red\n", FileFormat.CSV, "Colour: is no column of a ticket"),
        (b"subject,title\nx,red\n", FileFormat.CSV, "more than once"),
        (b"\x00\x01\x02,\xff\n", FileFormat.CSV, "no text"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(data: bytes, form: FileFormat, words: str) -> None:
    world = a_world()
    run = carried_on(world, begun(world, data, form), data)

    assert run.state == RunState.FAILED
    assert words in run.fault


def test_unknown_columns_may_be_passed_over() -> None:
    world = a_world()
    run = imported(world, a_row(colour="red", fields={"shade": "dark"}), ignores_unknown=True)

    assert (run.imported, run.refused) == (1, 0)


def test_begin_and_end_stand_in_the_audit_log() -> None:
    world = a_world()
    imported(world, a_row())

    with reading(world.tenant.id):
        acts = list(
            AuditEntry.objects.filter(act__startswith="import").order_by("id").values_list("act", flat=True)
        )
        ended = AuditEntry.objects.get(act="import_ended")
    assert acts == ["import_begun", "import_ended"]
    assert ended.after == {"state": "done", "imported": 1, "skipped": 0, "refused": 0}


def test_only_who_may_import_does() -> None:
    world = a_world()
    with pytest.raises(Forbidden):
        begin_local_run(Order(name="x", format=FileFormat.CSV), digest=b"x", size=1, by=world.bo, now=NOW)


def test_somebody_who_left_can_have_had_a_ticket_but_gets_none() -> None:
    world = a_world()
    with writing(world.tenant.id):
        Agent.objects.filter(id=world.bo_agent.id).update(left_at=MONDAY_9)
    run = imported(
        world,
        a_row(**CLOSED, assignee="bo@global.example"),
        a_row(external_ref="A-2", assignee="bo@global.example"),
    )

    assert (run.imported, run.refused) == (1, 1)
    assert "has left" in reasons(world, run)[0][1][0][1]
