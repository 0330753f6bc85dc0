"""Time passes and people are told: who, of what, when, and who after them."""

import pytest

from flowdesk.accounts.models import Tenant
from flowdesk.core.errors import Invalid, NotFound
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.escalation.models import Escalation
from flowdesk.escalation.services import AlreadyAcknowledged
from flowdesk.flows import escalate, work
from flowdesk.notifications.models import Delivery
from flowdesk.people.models import Agent, Post, ShiftKind, Team
from flowdesk.tickets.models import Note, Ticket
from tests.builders import MONDAY_9, World
from tests.flows.story import (
    DAY,
    HOUR,
    MINUTE,
    Told,
    a_colleague,
    a_staffed_world,
    an_open_ticket,
    clock,
    come_back,
    hold,
    ladder,
    local,
    log,
    mails,
    pass_time,
    remove_shifts,
    states,
    ticket,
)

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

FRIDAY_16 = MONDAY_9 - 3 * DAY + 7 * HOUR  # 16:00 in Stockholm, an hour before the office closes


@pytest.fixture
def world() -> World:
    return a_staffed_world()


def whole_ladder(*at: str) -> list[Told]:
    """The standard ladder of first response, its five instants given."""
    half, lead, both, due, beyond = at
    return [
        Told(half, 50, "assignee", "Bo"),
        Told(lead, 75, "team_lead", "Ada"),
        Told(both, 90, "assignee", "Bo"),
        Told(both, 90, "team_lead", "Ada"),
        Told(due, 100, "support_manager", "Mia"),
        Told(beyond, 125, "director", "Dan"),
    ]


@pytest.mark.parametrize(
    ("tier", "instants"),
    [
        # In business hours routing promises enterprise an answer within the hour.
        ("enterprise", ("Mon 09:30", "Mon 09:45", "Mon 09:54", "Mon 10:00", "Mon 10:15")),
        ("professional", ("Mon 11:00", "Mon 12:00", "Mon 12:36", "Mon 13:00", "Mon 14:00")),
        ("starter", ("Mon 11:00", "Mon 12:00", "Mon 12:36", "Mon 13:00", "Mon 14:00")),
        # One business day from Monday 09:00 is eight open hours.
        ("free", ("Mon 13:00", "Mon 15:00", "Mon 16:12", "Tue 09:00", "Tue 11:00")),
    ],
)
def test_an_unanswered_p3_walks_the_whole_ladder(world: World, tier: str, instants: tuple[str, ...]) -> None:
    an_open_ticket(world, tier=tier)

    pass_time(until=MONDAY_9 + 2 * DAY)

    assert ladder(world, "ladder.first_response", reason="promise_spent") == whole_ladder(*instants)
    assert clock(world, "first_response").missed_at is not None


def test_the_ladder_counts_open_hours_over_a_weekend(world: World) -> None:
    an_open_ticket(world, at=FRIDAY_16)

    pass_time(until=MONDAY_9 + 5 * HOUR)

    rungs = ladder(world, "ladder.first_response")[:6]
    assert rungs == whole_ladder("Mon 10:00", "Mon 11:00", "Mon 11:36", "Mon 12:00", "Mon 13:00")


def test_each_step_is_fired_at_its_instant_and_not_late(world: World) -> None:
    an_open_ticket(world)

    pass_time(until=MONDAY_9 + 2 * DAY)

    with reading(world.tenant.id):
        late = {one.late_by_seconds for one in Escalation.objects.all()}
    assert late == {0.0}


def test_an_answer_on_the_due_instant_is_in_time_and_ends_the_climb(world: World) -> None:
    opened = an_open_ticket(world)
    pass_time(until=MONDAY_9 + 4 * HOUR - MINUTE)

    work.send_reply(opened, text="Under settings.", by=world.bo, now=MONDAY_9 + 4 * HOUR)
    pass_time(until=MONDAY_9 + 6 * HOUR)

    assert [told.step for told in ladder(world, "ladder.first_response")] == [50, 75, 90, 90]
    assert clock(world, "first_response").outcome == "met"


def test_what_breaks_is_told_the_customer_once_with_a_manager_named(world: World) -> None:
    an_open_ticket(world)

    pass_time(until=MONDAY_9 + 4 * HOUR)

    assert mails(world, at=MONDAY_9 + 4 * HOUR).count("customer_delayed") == 1
    (event,) = [
        line
        for line in log(world, "step_fired")
        if line.data["step"] == 100 and "breach" in line.data["acts"]
    ]
    assert sorted(event.data["acts"]) == ["breach", "credit", "tell_customer"]


def test_two_broken_promises_in_a_day_are_one_notice_and_another_day_is_another(world: World) -> None:
    opened = an_open_ticket(world, priority=Priority.P1)  # an hour to answer, a business day to solve
    pass_time(until=MONDAY_9 + 2 * HOUR)
    assert mails(world, at=MONDAY_9 + 2 * HOUR).count("customer_delayed") == 1

    pass_time(until=MONDAY_9 + DAY)
    assert clock(world, "resolution").missed_at == MONDAY_9 + DAY
    assert mails(world, at=MONDAY_9 + DAY).count("customer_delayed") == 1

    work.send_reply(opened, text="We are on it.", by=world.bo, now=MONDAY_9 + 3 * DAY)
    assert mails(world, at=MONDAY_9 + 3 * DAY).count("customer_reply") == 1


def test_an_escalation_nobody_takes_climbs_post_by_post_and_stops_at_the_top(world: World) -> None:
    an_open_ticket(world)

    pass_time(until=MONDAY_9 + 12 * HOUR)

    climb = [told for told in ladder(world, "ladder.first_response") if told.step == 100]
    assert climb == [
        Told("Mon 13:00", 100, "support_manager", "Mia"),
        Told("Mon 14:00", 100, "director", "Dan"),
    ]
    kept = [one for one in states(world, "ladder.first_response") if one[1] in ("open", "climbed")]
    assert kept == [("support_manager", "climbed"), ("director", "open"), ("director", "open")]


def test_the_top_stays_open_and_wakes_nobody_again(world: World) -> None:
    an_open_ticket(world)
    pass_time(until=MONDAY_9 + 12 * HOUR)
    told = len(log(world, "step_fired"))

    come_back(at=MONDAY_9 + 12 * HOUR)

    assert len(log(world, "step_fired")) == told


def open_one(world: World, rule: str, target: str) -> str:
    with reading(world.tenant.id):
        return shown("esc", Escalation.objects.get(rule=rule, target=target, state="open").public_id)


def test_taking_an_escalation_stops_its_climb(world: World) -> None:
    an_open_ticket(world)
    pass_time(until=MONDAY_9 + 4 * HOUR)

    taken = open_one(world, "ladder.first_response", "support_manager")
    escalate.acknowledge(taken, by=world.ada, now=MONDAY_9 + 4 * HOUR + MINUTE)
    pass_time(until=MONDAY_9 + 12 * HOUR)

    hundred = [told for told in ladder(world, "ladder.first_response") if told.step == 100]
    assert hundred == [Told("Mon 13:00", 100, "support_manager", "Mia")]
    with pytest.raises(AlreadyAcknowledged):
        escalate.acknowledge(taken, by=world.bo, now=MONDAY_9 + 5 * HOUR)


def test_one_who_takes_it_takes_it_from_all_it_went_to(world: World) -> None:
    for post in ("security_lead", "ciso"):
        with writing(world.tenant.id):
            Post.objects.create(tenant=world.tenant, slug=post, name=post, holder=world.ada_agent)
    an_open_ticket(world, subject="Security breach", text="We were hacked.")
    assert states(world, "security_incident") == [("security_lead", "open"), ("ciso", "open")]

    escalate.acknowledge(open_one(world, "security_incident", "ciso"), by=world.ada, now=MONDAY_9 + MINUTE)

    assert states(world, "security_incident") == [("security_lead", "acknowledged"), ("ciso", "acknowledged")]


def test_a_vacant_post_falls_to_the_next_above_and_says_so(world: World) -> None:
    hold(world, "support_manager", None)
    an_open_ticket(world)

    pass_time(until=MONDAY_9 + 4 * HOUR)

    with reading(world.tenant.id):
        one = Escalation.objects.get(rule="ladder.first_response", step=100)
    assert one.target == "support_manager"
    assert one.trace == {"way": ["support_manager", "director"]}
    assert [told.reached for told in ladder(world, "ladder.first_response") if told.step == 100] == ["Dan"]


def test_somebody_away_is_passed_over(world: World) -> None:
    with writing(world.tenant.id):
        Agent.objects.filter(name="Mia Berg").update(is_available=False)
    an_open_ticket(world)

    pass_time(until=MONDAY_9 + 4 * HOUR)

    assert [told.reached for told in ladder(world, "ladder.first_response") if told.step == 100] == ["Dan"]


def nobody_is_there(world: World) -> None:
    with writing(world.tenant.id):
        Agent.objects.update(is_available=False)


def test_when_every_post_is_vacant_the_mandatory_contact_has_it(world: World) -> None:
    Tenant.objects.update(mandatory_contact_email="board@global.example")
    an_open_ticket(world)
    nobody_is_there(world)

    pass_time(until=MONDAY_9 + 4 * HOUR)

    with reading(world.tenant.id):
        one = Escalation.objects.get(rule="ladder.first_response", step=100)
    assert (one.agent_id, one.state) == (None, "open")
    assert mails(world, at=MONDAY_9 + 4 * HOUR, to="tenant")[-1] == "agent_escalated"


def test_with_nobody_at_all_a_step_is_skipped_and_says_so(world: World) -> None:
    an_open_ticket(world)
    nobody_is_there(world)

    pass_time(until=MONDAY_9 + 12 * HOUR)

    skipped = states(world, "ladder.first_response")
    assert {state for _, state in skipped} == {"skipped"}
    lines = [line.data for line in log(world, "step_fired") if line.data["metric"] == "first_response"]
    assert [line["step"] for line in lines] == [50, 75, 90, 90, 100, 125]
    assert {line["agent"] for line in lines} == {None}
    assert lines[4]["way"] == ["support_manager", "director"]


def test_a_p1_calls_whoever_is_on_call_and_then_the_manager(world: World) -> None:
    an_open_ticket(world, priority=Priority.P1)

    pass_time(until=MONDAY_9 + 20 * MINUTE)

    assert ladder(world, "p1_created") == [
        Told("Mon 09:00", 0, "on_call", "Ada"),
        Told("Mon 09:15", 0, "support_manager", "Mia"),
    ]


def test_with_nobody_on_call_the_manager_is_called(world: World) -> None:
    remove_shifts(world, [world.ada_agent], ShiftKind.ON_CALL)

    an_open_ticket(world, priority=Priority.P1)

    (told,) = ladder(world, "p1_created")
    assert (told.target, told.reached) == ("on_call", "Mia")


def test_two_hours_unanswered_on_level_1_hands_the_ticket_to_level_2(world: World) -> None:
    an_open_ticket(world)

    pass_time(until=MONDAY_9 + 2 * HOUR)

    with reading(world.tenant.id):
        team = Team.objects.get(slug="tier-2")
    moved = ticket(world)
    assert (moved.level, moved.team_id, moved.level_entered_at) == (2, team.id, MONDAY_9 + 2 * HOUR)
    assert ladder(world, "level_1_stuck")[0] == Told("Mon 11:00", 1, "team_lead", "Ada")
    assert mails(world, at=MONDAY_9 + 2 * HOUR).count("customer_specialist") == 1
    assert clock(world, "ownership", cycle=2).started_at == MONDAY_9 + 2 * HOUR
    with reading(world.tenant.id):
        assert Note.objects.filter(kind="escalation").count() >= 1


def test_an_answered_ticket_stays_on_level_1(world: World) -> None:
    opened = an_open_ticket(world)
    work.send_reply(opened, text="We look into it.", by=world.bo, now=MONDAY_9 + HOUR)

    pass_time(until=MONDAY_9 + 3 * HOUR)

    assert ladder(world, "level_1_stuck") == []
    assert ticket(world).level == 1


def test_a_climb_of_that_rule_does_not_hand_the_ticket_over_again(world: World) -> None:
    opened = an_open_ticket(world)
    pass_time(until=MONDAY_9 + 2 * HOUR)
    work.assign(opened, team="engineering", by=world.ada, now=MONDAY_9 + 2 * HOUR + MINUTE)

    pass_time(until=MONDAY_9 + 3 * HOUR)  # an hour later nobody has taken the escalation

    assert [told.target for told in ladder(world, "level_1_stuck")][:2] == ["team_lead", "support_lead"]
    assert (ticket(world).level, ticket(world).team_id) == (3, world.engineering.id)
    assert mails(world, at=MONDAY_9 + 3 * HOUR).count("customer_specialist") == 1


def test_an_untaken_call_to_the_next_level_climbs_to_the_support_lead(world: World) -> None:
    cleo = a_colleague(world, "Lea Strand")
    hold(world, "support_lead", cleo)
    an_open_ticket(world, tier="free")  # a slow promise: the level's own is the first to break

    pass_time(until=MONDAY_9 + 8 * HOUR)

    steps = ladder(world, "ladder.ownership_response")
    assert [told.target for told in steps][:2] == ["next_level", "support_lead"]
    assert steps[1].reached == "Lea"


def test_somebody_escalates_by_hand_twice_and_both_are_tasks(world: World) -> None:
    opened = an_open_ticket(world)
    for minutes in (1, 2):
        escalate.escalate(
            opened, target="on_call", note="They call again.", by=world.bo, now=MONDAY_9 + minutes * MINUTE
        )

    assert states(world, "by_hand") == [("on_call", "open"), ("on_call", "open")]
    assert mails(world, at=MONDAY_9 + HOUR, to=f"agent:{world.ada_agent.id}").count("agent_escalated") == 2


def test_nobody_escalates_to_a_post_that_is_not_there(world: World) -> None:
    opened = an_open_ticket(world)

    with pytest.raises(Invalid):
        escalate.escalate(opened, target="the_king", by=world.bo, now=MONDAY_9)
    with pytest.raises(NotFound):
        escalate.acknowledge("esc_00000000000000000000000000", by=world.bo, now=MONDAY_9)


def test_resolving_closes_what_was_escalated(world: World) -> None:
    opened = an_open_ticket(world)
    pass_time(until=MONDAY_9 + 4 * HOUR)

    work.resolve(opened, by=world.bo, now=MONDAY_9 + 4 * HOUR + MINUTE)
    pass_time(until=MONDAY_9 + DAY)

    with reading(world.tenant.id):
        assert not Escalation.objects.filter(state="open").exists()
        assert Escalation.objects.filter(state="closed").exists()
        assert local(Escalation.objects.order_by("-fires_at")[0].fires_at) == "Mon 13:00"


def test_what_is_told_an_agent_is_about_their_tenants_ticket_only(world: World) -> None:
    other = a_staffed_world("other")
    an_open_ticket(world)
    pass_time(until=MONDAY_9 + 4 * HOUR)
    mails(world, at=MONDAY_9 + 4 * HOUR)

    with reading(other.tenant.id):
        assert Delivery.objects.count() == Ticket.objects.count() == 0
