"""Publishing a launch report, and the review's calendar file."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.db import ProgrammingError
from icalendar import Calendar

from flowdesk.accounts.models import AuditEntry
from flowdesk.core.errors import Forbidden, Invalid, NotFound
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.business_time import Weekday
from flowdesk.engine.cadence import Weekly
from flowdesk.engine.facts import Priority
from flowdesk.engine.lanes import Lane
from flowdesk.flows import receive
from flowdesk.hubs import services as hubs
from flowdesk.hubs.calendar import review_calendar
from flowdesk.hubs.models import LaunchReport
from tests.builders import MONDAY_9, a_customer, a_message, a_world

in_database = pytest.mark.django_db(databases=["default", "owner", "worker"])
HOUR = timedelta(hours=1)


@in_database
def test_a_calm_hub_is_published_with_its_numbers_and_leaves_a_trace() -> None:
    world = a_world()

    public_id = hubs.publish_report(by=world.ada, now=MONDAY_9, status_note=" All calm. ")

    with reading(world.tenant.id):
        report = hubs.published_report(public_id)
        entry = AuditEntry.objects.get(act="launch_report_published")
    assert (report.published_at, report.status_note) == (MONDAY_9, "All calm.")
    assert report.snapshot["hit_rate"]["percent"] == 100.0
    assert report.snapshot["as_of"] == "2026-06-15T07:00:00+00:00"
    assert len(report.snapshot["lanes"]) == 7
    assert (entry.actor_id, entry.thing_id) == (world.ada.id, report.id)


@in_database
def test_a_critical_lane_blocks_the_report_by_name() -> None:
    world = a_world()
    a_customer(world)
    receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9, priority=Priority.P1)

    with pytest.raises(hubs.LanesCritical) as refused:
        hubs.publish_report(by=world.ada, now=MONDAY_9 + HOUR)

    assert Lane.SLA_BREACHED in refused.value.lanes
    assert "sla_breached" in refused.value.message
    with reading(world.tenant.id):
        assert not LaunchReport.objects.exists()
        assert not AuditEntry.objects.filter(act="launch_report_published").exists()


@in_database
def test_a_report_names_no_ticket_and_no_customer() -> None:
    world = a_world()
    a_customer(world)
    receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)

    public_id = hubs.publish_report(by=world.ada, now=MONDAY_9)

    with reading(world.tenant.id):
        text = json.dumps(hubs.published_report(public_id).snapshot)
    assert "Nordvik" not in text
    assert "reply language" not in text


@pytest.mark.django_db(transaction=True, databases=["default", "owner", "worker"])
def test_a_published_report_cannot_be_changed() -> None:
    world = a_world()
    hubs.publish_report(by=world.ada, now=MONDAY_9)

    with pytest.raises(ProgrammingError, match="permission denied"), writing(world.tenant.id):
        LaunchReport.objects.update(status_note="otherwise")


@in_database
def test_an_agent_does_not_publish() -> None:
    world = a_world()

    with pytest.raises(Forbidden):
        hubs.publish_report(by=world.bo, now=MONDAY_9)


@in_database
def test_a_note_has_an_end() -> None:
    world = a_world()

    with pytest.raises(Invalid, match="status_note"):
        hubs.publish_report(by=world.ada, now=MONDAY_9, status_note="x" * 2001)


@in_database
def test_a_strangers_report_is_not_there() -> None:
    world, other = a_world(), a_world("cleo")
    public_id = hubs.publish_report(by=other.ada, now=MONDAY_9)

    with reading(world.tenant.id), pytest.raises(NotFound):
        hubs.published_report(public_id)


def test_the_review_stays_at_nine_in_its_own_zone_zammad_2157() -> None:
    review = Weekly(weekday=Weekday.MONDAY, at=MONDAY_9.replace(hour=9, tzinfo=None).time())

    text = review_calendar(review, uid="review@example", summary="Weekly support ops review", now=MONDAY_9)

    calendar = Calendar.from_ical(text)
    (meeting,) = calendar.walk("VEVENT")
    (zone,) = calendar.walk("VTIMEZONE")
    starts = meeting["DTSTART"].dt
    assert starts == datetime.fromisoformat("2026-06-22T09:00:00+02:00")
    assert meeting["DTSTART"].params["TZID"] == zone["TZID"] == "Europe/Stockholm"
    assert meeting["DTSTART"].to_ical() == b"20260622T090000"
    assert meeting["RRULE"].to_ical() == b"FREQ=WEEKLY;BYDAY=MO"
    assert {part.name for part in zone.subcomponents} == {"STANDARD", "DAYLIGHT"}
