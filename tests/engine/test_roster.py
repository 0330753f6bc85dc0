"""Who is on duty when."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowdesk.engine.business_time import WORKING_WEEK, BeyondHorizon, Weekday
from flowdesk.engine.roster import (
    Duty,
    Override,
    Rotation,
    Shift,
    duty_spans,
    gaps,
    next_duty_at,
    next_handover,
    on_duty,
    shift_ends_at,
)
from flowdesk.engine.spans import Span, subtract, union

STOCKHOLM = ZoneInfo("Europe/Stockholm")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def stockholm(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A wall time in Stockholm in March 2026, whose 2nd is a Monday; later days run into April."""
    return (datetime(2026, 3, 1, hour, minute) + (day - 1) * DAY).replace(tzinfo=STOCKHOLM)  # noqa: DTZ001


MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(2, 9)


def a_shift(agent: str = "ada", starts: int = 9, ends: int = 17, **said: object) -> Shift:
    """Monday to Friday, in full hours."""
    plain = {"weekdays": frozenset(WORKING_WEEK), "agent": agent, "starts": time(starts), "ends": time(ends)}
    return Shift(**{**plain, **said})  # type: ignore[arg-type]


ADA, BO = a_shift("ada", 8, 16), a_shift("bo", 12, 20)
NIGHT = a_shift("cleo", 22, 6)
WEEKLY = Rotation(agents=("ada", "bo", "cleo"), first_on=date(2026, 3, 2))


class TestShifts:
    @pytest.mark.parametrize(
        ("hour", "present"), [(7, ()), (8, ("ada",)), (12, ("ada", "bo")), (16, ("bo",)), (20, ())]
    )
    def test_a_shift_holds_its_start_and_not_its_end(self, hour: int, present: tuple[str, ...]) -> None:
        assert on_duty([ADA, BO], at=stockholm(MONDAY, hour), kind=Duty.WORK) == present

    def test_people_come_in_the_order_of_the_roster_and_once(self) -> None:
        roster = [BO, ADA, a_shift("bo")]

        assert on_duty(roster, at=stockholm(MONDAY, 13), kind=Duty.WORK) == ("bo", "ada")

    def test_a_night_runs_into_saturday_and_not_into_monday(self) -> None:
        assert on_duty([NIGHT], at=stockholm(SATURDAY, 5), kind=Duty.WORK) == ("cleo",)
        assert on_duty([NIGHT], at=stockholm(MONDAY, 5), kind=Duty.WORK) == ()

    def test_a_shift_that_ends_when_it_starts_lasts_a_day(self) -> None:
        around = a_shift("ada", 9, 9, weekdays=frozenset({Weekday.MONDAY}))

        assert shift_ends_at([around], agent="ada", at=stockholm(TUESDAY, 1), kind=Duty.WORK) == stockholm(
            TUESDAY, 9
        )

    def test_work_is_not_on_call(self) -> None:
        assert on_duty([ADA], at=stockholm(MONDAY, 9), kind=Duty.ON_CALL) == ()

    def test_a_shift_serves_its_team_and_one_without_a_team_every_team(self) -> None:
        roster = [a_shift("ada", team="billing"), a_shift("bo", team="security"), a_shift("cleo")]
        noon = stockholm(MONDAY, 12)

        assert on_duty(roster, at=noon, kind=Duty.WORK, team="billing") == ("ada", "cleo")
        assert on_duty(roster, at=noon, kind=Duty.WORK) == ("ada", "bo", "cleo")

    def test_a_shift_is_valid_from_its_first_date_until_its_last(self) -> None:
        tuesday_only = a_shift(valid_from=date(2026, 3, 3), valid_until=date(2026, 3, 4))

        present = [on_duty([tuesday_only], at=stockholm(day, 10), kind=Duty.WORK) for day in (2, 3, 4)]

        assert present == [(), ("ada",), ()]

    def test_hours_are_those_of_the_agents_own_zone(self) -> None:
        sydney = a_shift("bo", zone="Australia/Sydney")

        assert on_duty([sydney], at=stockholm(MONDAY, 1), kind=Duty.WORK) == ("bo",)

    @pytest.mark.parametrize(
        "day", [date(2026, 3, 27), date(2026, 3, 30), date(2026, 10, 23), date(2026, 10, 26)]
    )
    def test_shifts_move_by_an_hour_when_clocks_change(self, day: date) -> None:
        nine = datetime.combine(day, time(9), tzinfo=STOCKHOLM)

        assert on_duty([a_shift()], at=nine, kind=Duty.WORK) == ("ada",)
        assert on_duty([a_shift()], at=nine.astimezone(UTC) - timedelta.resolution, kind=Duty.WORK) == ()

    def test_a_night_shift_through_the_change_ends_at_its_wall_time(self) -> None:
        sunday_too = a_shift("cleo", 22, 6, weekdays=frozenset(Weekday))

        ends = shift_ends_at([sunday_too], agent="cleo", at=stockholm(28, 23), kind=Duty.WORK)

        assert ends == stockholm(29, 6)
        assert ends - stockholm(28, 22).astimezone(UTC) == 7 * HOUR

    def test_an_unknown_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="unknown time zone"):
            a_shift(zone="Europe/Atlantis")


class TestRotations:
    @pytest.mark.parametrize(
        ("day", "agent"), [(MONDAY, "ada"), (SUNDAY, "ada"), (9, "bo"), (16, "cleo"), (23, "ada"), (30, "bo")]
    )
    def test_turns_follow_each_other(self, day: int, agent: str) -> None:
        assert on_duty([WEEKLY], at=stockholm(day, 12), kind=Duty.ON_CALL) == (agent,)

    def test_nobody_is_on_call_before_the_first_turn(self) -> None:
        assert on_duty([WEEKLY], at=stockholm(MONDAY, 8, 59), kind=Duty.ON_CALL) == ()

    def test_the_hand_over_stays_at_nine_when_clocks_change(self) -> None:
        assert next_handover([WEEKLY], after=stockholm(28), kind=Duty.ON_CALL) == stockholm(30, 9)

    def test_the_last_turn_ends_with_the_rotation(self) -> None:
        ending = Rotation(agents=("ada", "bo"), first_on=date(2026, 3, 2), valid_until=date(2026, 3, 11))

        assert next_handover([ending], after=stockholm(10), kind=Duty.ON_CALL) == stockholm(11, 9)
        assert on_duty([ending], at=stockholm(11, 9), kind=Duty.ON_CALL) == ()
        assert on_duty([ending], at=stockholm(30, 9), kind=Duty.ON_CALL) == ()

    def test_an_earlier_layer_comes_first(self) -> None:
        second = Rotation(agents=("bo", "cleo", "ada"), first_on=date(2026, 3, 2))

        assert on_duty([WEEKLY, second], at=stockholm(10), kind=Duty.ON_CALL) == ("bo", "cleo")

    def test_a_rotation_of_nobody_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at least one agent"):
            Rotation(agents=(), first_on=date(2026, 3, 2))

    def test_one_person_forever_never_hands_over(self) -> None:
        alone = Rotation(agents=("ada",), first_on=date(2026, 3, 2))

        assert next_handover([alone], after=stockholm(TUESDAY), kind=Duty.ON_CALL) is None
        with pytest.raises(BeyondHorizon):
            shift_ends_at([alone], agent="ada", at=stockholm(TUESDAY), kind=Duty.ON_CALL)


class TestOverrides:
    AFTERNOON = Span(stockholm(MONDAY, 12), stockholm(MONDAY, 18))

    def test_a_stand_in_is_on_duty_exactly_when_the_other_would_have_been(self) -> None:
        swap = Override(span=self.AFTERNOON, removes="ada", adds="cleo")
        hours = (11, 13, 17)

        present = [on_duty([ADA], at=stockholm(MONDAY, h), kind=Duty.WORK, overrides=[swap]) for h in hours]

        assert present == [("ada",), ("cleo",), ()]

    def test_a_stand_in_takes_the_place_of_the_other(self) -> None:
        swap = Override(span=self.AFTERNOON, removes="ada", adds="cleo")

        assert on_duty([ADA, BO], at=stockholm(MONDAY, 13), kind=Duty.WORK, overrides=[swap]) == (
            "cleo",
            "bo",
        )

    def test_a_stand_in_can_be_replaced(self) -> None:
        swaps = [
            Override(span=self.AFTERNOON, removes="ada", adds="bo"),
            Override(span=self.AFTERNOON, removes="bo", adds="cleo"),
        ]

        assert on_duty([ADA], at=stockholm(MONDAY, 13), kind=Duty.WORK, overrides=swaps) == ("cleo",)

    def test_somebody_off_duty_leaves_a_gap(self) -> None:
        off = Override(span=self.AFTERNOON, removes="ada")

        found = gaps(
            [ADA], within=Span(stockholm(MONDAY, 8), stockholm(MONDAY, 16)), kind=Duty.WORK, overrides=[off]
        )

        assert found == (Span(stockholm(MONDAY, 12), stockholm(MONDAY, 16)),)

    def test_somebody_extra_comes_last_and_for_the_whole_span(self) -> None:
        extra = Override(span=self.AFTERNOON, adds="cleo")

        assert on_duty([ADA], at=stockholm(MONDAY, 13), kind=Duty.WORK, overrides=[extra]) == ("ada", "cleo")
        assert on_duty([ADA], at=stockholm(MONDAY, 17), kind=Duty.WORK, overrides=[extra]) == ("cleo",)

    def test_an_override_of_one_team_leaves_the_others_alone(self) -> None:
        roster = [a_shift("ada", team="billing"), a_shift("ada", team="security"), a_shift("bo")]
        off = [
            Override(span=self.AFTERNOON, removes="ada", team="billing"),
            Override(span=self.AFTERNOON, removes="bo", team="billing"),
        ]
        at = stockholm(MONDAY, 13)

        assert on_duty(roster, at=at, kind=Duty.WORK, team="billing", overrides=off) == ()
        assert on_duty(roster, at=at, kind=Duty.WORK, team="security", overrides=off) == ("ada", "bo")
        assert on_duty(roster, at=at, kind=Duty.WORK, overrides=off) == ("ada", "bo")

    def test_an_override_of_work_does_not_touch_on_call(self) -> None:
        off = Override(span=self.AFTERNOON, removes="ada")

        assert on_duty([WEEKLY], at=stockholm(MONDAY, 13), kind=Duty.ON_CALL, overrides=[off]) == ("ada",)

    def test_an_override_that_names_nobody_is_refused(self) -> None:
        with pytest.raises(ValueError, match="somebody"):
            Override(span=self.AFTERNOON)


class TestWhatComesNext:
    def test_the_next_hand_over_is_the_next_change_of_people(self) -> None:
        assert next_handover([ADA, BO], after=stockholm(MONDAY, 9), kind=Duty.WORK) == stockholm(MONDAY, 12)
        assert next_handover([ADA, BO], after=stockholm(MONDAY, 12), kind=Duty.WORK) == stockholm(MONDAY, 16)
        assert next_handover([ADA, BO], after=stockholm(FRIDAY, 20), kind=Duty.WORK) == stockholm(
            MONDAY + 7, 8
        )

    def test_shifts_of_one_person_that_follow_each_other_are_no_hand_over(self) -> None:
        roster = [a_shift("ada", 8, 12), a_shift("ada", 12, 16)]

        assert next_handover(roster, after=stockholm(MONDAY, 9), kind=Duty.WORK) == stockholm(MONDAY, 16)
        assert shift_ends_at(roster, agent="ada", at=stockholm(MONDAY, 9), kind=Duty.WORK) == stockholm(
            MONDAY, 16
        )

    def test_a_shift_that_begins_months_ahead_is_found(self) -> None:
        later = a_shift(valid_from=date(2026, 9, 1))

        assert next_duty_at([later], after=stockholm(MONDAY), kind=Duty.WORK) == datetime(
            2026, 9, 1, 9, tzinfo=STOCKHOLM
        )

    def test_duty_goes_on_now_when_somebody_is_there(self) -> None:
        assert next_duty_at([ADA], after=stockholm(MONDAY, 10), kind=Duty.WORK) == stockholm(MONDAY, 10)

    def test_an_empty_roster_has_nobody_coming(self) -> None:
        assert next_duty_at([], after=stockholm(MONDAY), kind=Duty.WORK) is None
        assert next_handover([], after=stockholm(MONDAY), kind=Duty.WORK) is None

    def test_a_shift_ends_when_its_agent_is_swapped_out(self) -> None:
        off = Override(span=Span(stockholm(MONDAY, 12), stockholm(MONDAY, 18)), removes="ada")

        assert shift_ends_at(
            [ADA], agent="ada", at=stockholm(MONDAY, 9), kind=Duty.WORK, overrides=[off]
        ) == stockholm(MONDAY, 12)

    def test_somebody_off_duty_has_no_end_of_shift(self) -> None:
        assert shift_ends_at([ADA], agent="ada", at=stockholm(MONDAY, 7), kind=Duty.WORK) is None
        assert shift_ends_at([ADA], agent="bo", at=stockholm(MONDAY, 9), kind=Duty.WORK) is None

    def test_gaps_are_when_nobody_is_there(self) -> None:
        day = Span(stockholm(MONDAY), stockholm(TUESDAY))

        assert gaps([ADA, BO], within=day, kind=Duty.WORK) == (
            Span(stockholm(MONDAY), stockholm(MONDAY, 8)),
            Span(stockholm(MONDAY, 20), stockholm(TUESDAY)),
        )

    def test_a_rotation_leaves_no_gap_through_a_clock_change(self) -> None:
        assert gaps([WEEKLY], within=Span(stockholm(20), stockholm(60)), kind=Duty.ON_CALL) == ()


names = st.sampled_from(["ada", "bo", "cleo"])
shifts = st.builds(
    Shift,
    agent=names,
    weekdays=st.frozensets(st.sampled_from(Weekday), min_size=1),
    starts=st.builds(time, st.integers(0, 23)),
    ends=st.builds(time, st.integers(0, 23)),
    zone=st.sampled_from(["Europe/Stockholm", "America/New_York", "Australia/Lord_Howe"]),
)
near = st.integers(0, 14 * 24).map(lambda hours: datetime(2026, 3, 22, tzinfo=UTC) + hours * HOUR)
overrides = st.builds(
    lambda start, hours, pair: Override(
        span=Span(start, start + hours * HOUR), removes=pair[0], adds=pair[1]
    ),
    near,
    st.integers(1, 48),
    st.tuples(st.none() | names, st.none() | names).filter(any),
)


@settings(deadline=None)
@given(st.lists(shifts, max_size=4), st.lists(overrides, max_size=3), near)
def test_one_instant_and_the_whole_stretch_tell_the_same(
    roster: list[Shift], swaps: list[Override], at: datetime
) -> None:
    within = Span(at - 3 * DAY, at + 3 * DAY)

    duties = duty_spans(roster, within=within, kind=Duty.WORK, overrides=swaps)
    told = dict.fromkeys(agent for agent, spans in duties if any(at in span for span in spans))

    assert on_duty(roster, at=at, kind=Duty.WORK, overrides=swaps) == tuple(told)


@settings(deadline=None)
@given(st.lists(shifts, max_size=4), st.lists(overrides, max_size=3), near)
def test_gaps_are_what_duty_leaves_out(roster: list[Shift], swaps: list[Override], at: datetime) -> None:
    within = Span(at, at + 4 * DAY)
    duties = duty_spans(roster, within=within, kind=Duty.WORK, overrides=swaps)

    found = gaps(roster, within=within, kind=Duty.WORK, overrides=swaps)

    assert subtract([within], found) == union(span for _, spans in duties for span in spans)


@settings(deadline=None)
@given(st.lists(shifts, min_size=1, max_size=3), st.lists(overrides, max_size=3), near)
def test_nobody_changes_before_the_next_hand_over(
    roster: list[Shift], swaps: list[Override], at: datetime
) -> None:
    present = on_duty(roster, at=at, kind=Duty.WORK, overrides=swaps)

    handover = next_handover(roster, after=at, kind=Duty.WORK, overrides=swaps)

    if handover is not None:
        before = handover - timedelta.resolution
        assert on_duty(roster, at=before, kind=Duty.WORK, overrides=swaps) == present
        assert on_duty(roster, at=handover, kind=Duty.WORK, overrides=swaps) != present
