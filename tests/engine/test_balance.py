"""Who should have what: plans that even a team out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.balance import Movable, Move, MoveReason, balance
from flowdesk.engine.routing import Candidate

MONDAY_9 = datetime(2026, 6, 15, 9, tzinfo=UTC)


def a_person(name: str, *, load: int = 0, **more: object) -> Candidate:
    return Candidate(agent=name, load=load, capacity=10, **more)  # type: ignore[arg-type]


def a_ticket(number: int, agent: str, **more: object) -> Movable:
    due = MONDAY_9 + timedelta(hours=number)
    return Movable(ticket=number, agent=agent, due_at=due, **more)  # type: ignore[arg-type]


def tickets_of(agent: str, count: int, *, start: int = 1, **more: object) -> list[Movable]:
    return [a_ticket(number, agent, **more) for number in range(start, start + count)]


def test_what_an_absent_person_has_goes_to_whoever_is_here() -> None:
    plan = balance(
        [a_person("ada", load=2, is_available=False), a_person("bo")], tickets_of("ada", 2, is_begun=True)
    )

    assert plan.moves == (
        Move(ticket=1, before="ada", after="bo", reason=MoveReason.AWAY),
        Move(ticket=2, before="ada", after="bo", reason=MoveReason.AWAY),
    )
    assert plan.loads == (("ada", 2, 0), ("bo", 0, 2))


def test_what_nobody_can_take_is_named() -> None:
    plan = balance([a_person("ada", load=1, is_available=False)], tickets_of("ada", 1))

    assert plan.moves == ()
    assert plan.stuck == (1,)


def test_an_uneven_team_is_evened_out() -> None:
    plan = balance([a_person("ada", load=8), a_person("bo")], tickets_of("ada", 8))

    assert {name: after for name, _, after in plan.loads} == {"ada": 5, "bo": 3}
    assert {move.reason for move in plan.moves} == {MoveReason.UNEVEN}
    assert [move.ticket for move in plan.moves] == [8, 7, 6], "the farthest deadline first"


def test_a_small_difference_is_left_as_it_is() -> None:
    assert balance([a_person("ada", load=5), a_person("bo", load=3)], tickets_of("ada", 5)).moves == ()


def test_who_has_more_than_they_can_is_relieved() -> None:
    plan = balance([a_person("ada", load=12), a_person("bo", load=9)], tickets_of("ada", 12))

    assert [(move.after, move.reason) for move in plan.moves] == [("bo", MoveReason.OVER_CAPACITY)]


def test_who_has_just_what_they_can_is_not_over_it() -> None:
    plan = balance([a_person("ada", load=10), a_person("bo")], tickets_of("ada", 10))

    assert {move.reason for move in plan.moves} == {MoveReason.UNEVEN}
    assert balance([a_person("ada", load=10), a_person("bo", load=8)], tickets_of("ada", 10)).moves == ()


def test_a_quarter_of_a_capacity_apart_is_left_as_it_is() -> None:
    def two(load: int) -> list[Candidate]:
        return [Candidate(agent="ada", load=load, capacity=8), Candidate(agent="bo", load=2, capacity=8)]

    assert balance(two(4), tickets_of("ada", 4)).moves == ()
    assert len(balance(two(5), tickets_of("ada", 5)).moves) == 1


def test_whoever_has_the_greatest_share_is_relieved_first() -> None:
    team = [a_person("ada", load=9), a_person("bo", load=7), a_person("cy")]

    plan = balance(team, [*tickets_of("ada", 9), *tickets_of("bo", 7, start=20)])

    assert [move.before for move in plan.moves] == ["ada", "ada", "ada", "bo"]
    assert {name: after for name, _, after in plan.loads} == {"ada": 6, "bo": 6, "cy": 4}


def test_what_has_no_deadline_is_the_first_to_move() -> None:
    timeless = Movable(ticket=99, agent="ada")

    plan = balance([a_person("ada", load=8), a_person("bo")], [timeless, *tickets_of("ada", 7)])

    assert [move.ticket for move in plan.moves] == [99, 7, 6]


def test_a_plan_ends_after_two_hundred_moves() -> None:
    team = [Candidate(agent="ada", load=1_000, capacity=1_000), Candidate(agent="bo", capacity=1_000)]

    assert len(balance(team, tickets_of("ada", 1_000)).moves) == 200


def test_what_somebody_has_begun_stays_with_them() -> None:
    people = [a_person("ada", load=8), a_person("bo")]

    assert balance(people, tickets_of("ada", 8, is_begun=True)).moves == ()
    assert balance(people, tickets_of("ada", 8, is_theirs=True)).moves == ()


def test_a_ticket_goes_to_nobody_who_does_not_speak_its_language() -> None:
    people = [
        a_person("ada", load=8, languages=frozenset({"sv"})),
        a_person("bo", languages=frozenset({"en"})),
        a_person("cy", load=4, languages=frozenset({"sv"})),
    ]

    plan = balance(people, tickets_of("ada", 8, language="sv"))

    assert {move.after for move in plan.moves} == {"cy"}


def test_nobody_off_shift_is_given_anything() -> None:
    assert (
        balance([a_person("ada", load=8), a_person("bo", is_on_shift=False)], tickets_of("ada", 8)).moves
        == ()
    )


def test_heavy_tickets_move_only_where_that_helps() -> None:
    plan = balance([a_person("ada", load=3), a_person("bo")], [a_ticket(1, "ada", weight=3)])

    assert plan.moves == (), "the other would only have as much instead"


teams = st.lists(st.tuples(st.integers(0, 15), st.booleans(), st.booleans()), min_size=1, max_size=5)


@given(teams)
def test_a_plan_moves_each_ticket_once_and_makes_nobody_worse_than_the_worst(
    drawn: list[tuple[int, bool, bool]],
) -> None:
    people = [
        a_person(f"agent-{number}", load=load, is_available=here, is_on_shift=on)
        for number, (load, here, on) in enumerate(drawn)
    ]
    tickets = [
        a_ticket(100 * number + count, f"agent-{number}")
        for number, (load, _, _) in enumerate(drawn)
        for count in range(load)
    ]

    plan = balance(people, tickets)
    again = balance(people[::-1], tickets[::-1])

    moved = [move.ticket for move in plan.moves]
    assert len(moved) == len(set(moved))
    assert plan == again
    assert sum(before for _, before, _ in plan.loads) == sum(after for _, _, after in plan.loads)
    takers = {move.after for move in plan.moves}
    for name, before, after in plan.loads:
        if name in takers:
            assert after <= max(before, 10), "nobody is filled past their capacity"


def test_what_asks_for_a_skill_goes_to_who_has_it() -> None:
    team = [a_person("ada", load=8), a_person("bo"), a_person("cy", load=3, skills=frozenset({"api"}))]

    plan = balance(team, tickets_of("ada", 8, skills=frozenset({"api", "sql"})))

    assert {move.after for move in plan.moves} == {"cy"}


def test_a_skill_that_nobody_of_the_team_has_holds_nothing_up() -> None:
    plan = balance(
        [a_person("ada", load=1, is_available=False), a_person("bo")],
        tickets_of("ada", 1, skills=frozenset({"api"})),
    )

    assert [move.after for move in plan.moves] == ["bo"]


def test_a_ticket_that_nobody_can_take_hides_none_that_somebody_can() -> None:
    team = [a_person("ada", load=8, skills=frozenset({"api"})), a_person("bo")]
    asking = a_ticket(9, "ada", skills=frozenset({"api"}))

    plan = balance(team, [*tickets_of("ada", 7), asking])

    assert [move.ticket for move in plan.moves] == [7, 6, 5]
