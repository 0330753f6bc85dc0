from datetime import timedelta

import pytest
from django.utils.safestring import SafeString

from flowdesk.web.drawings import Ladder, LanesBar, Spark, Strip
from flowdesk.web.parts import ChipState, Face, paused_chip, running_chip
from flowdesk.web.ticket import forms
from flowdesk.web.ticket.page import paragraphs
from tests.web.samples.shell import NOW, at


@pytest.mark.parametrize(
    ("state", "due", "said"),
    [
        (ChipState.RUNNING, "11:52", "2h 10m"),
        (ChipState.WARNING, "09:48", "6m left"),
        (ChipState.CRITICAL, "09:30", "12m over"),
        (ChipState.FAR, "07:22", "2h 20m over"),
    ],
)
def test_a_running_chip_says_how_far_it_is_from_its_promise(state: ChipState, due: str, said: str) -> None:
    chip = running_chip(at(due), now=NOW, state=state)

    assert chip.words == said
    assert chip.is_counting


def test_a_paused_chip_stands_still() -> None:
    chip = paused_chip(timedelta(hours=1, minutes=20))

    assert chip.words == "1h 20m left"
    assert not chip.is_counting


@pytest.mark.parametrize(
    ("name", "initials"), [("Ada Lind", "AL"), ("Bo", "B"), ("Anna Karin von Ek", "AE"), ("", "")]
)
def test_a_face_is_first_and_last_letter(name: str, initials: str) -> None:
    assert Face.of(name).initials == initials


def test_a_ladder_fills_its_bands_up_to_what_is_spent() -> None:
    bars = Ladder(words="", spent_percent=105).bars

    assert [(bar.kind, bar.x, bar.width) for bar in bars] == [
        ("calm", "0.00%", "60.00%"),
        ("warning", "60.00%", "20.00%"),
        ("critical", "80.00%", "4.00%"),
    ]


def test_a_ladder_ends_where_its_scale_ends() -> None:
    ladder = Ladder(words="", spent_percent=400)

    assert ladder.mark == "100.00%"
    assert sum(float(bar.width.rstrip("%")) for bar in ladder.bars) == pytest.approx(100)


def test_an_untouched_ladder_has_no_bars() -> None:
    assert Ladder(words="").bars == ()


def test_the_lanes_bar_shares_its_width_and_leaves_out_the_empty() -> None:
    bar = LanesBar(over=1, on_time=3)

    assert [(piece.kind, piece.width) for piece in bar.bars] == [("critical", "25.00%"), ("calm", "75.00%")]
    assert bar.gaps == ("25.00%",)


def test_no_tickets_make_an_empty_bar() -> None:
    assert LanesBar().bars == ()


def test_a_flat_line_of_values_does_not_divide_by_nothing() -> None:
    spark = Spark(words="", values=(100.0, 100.0), goal=100.0)

    assert spark.points == "0.0,24.0 120.0,24.0"


def test_a_strip_cuts_spans_to_its_edges_and_marks_now() -> None:
    strip = Strip.between(
        at("08:00"),
        at("10:00"),
        spans=(("calm", at("07:00"), at("09:00")), ("paused", at("11:00"), at("12:00"))),
        ticks=((at("08:00"), "08:00"), (at("10:00"), "10:00")),
        now=at("09:30"),
        now_words="now",
        words="",
    )

    assert [(bar.kind, bar.x, bar.width) for bar in strip.bars] == [("calm", "0.00%", "50.00%")]
    assert [tick.anchor for tick in strip.ticks] == ["start", "end"]
    assert strip.now is not None
    assert strip.now.x == "75.00%"


def test_an_answered_form_keeps_what_was_sent_and_says_what_is_wrong() -> None:
    form = forms.wait("/wait").form.answered(
        {"reason": "third_party"}, {"note": ("Needed.",), "__all__": ("No.",)}
    )

    reason, _limit, note = form.fields
    assert [choice.value for choice in reason.choices if choice.is_chosen] == ["third_party"]
    assert note.errors == ("Needed.",)
    assert form.errors == ("No.",)
    assert form.has_errors


def test_text_becomes_paragraphs_at_its_empty_lines() -> None:
    assert paragraphs("one\r\n\r\ntwo\nstill two\n\n\n") == ("one", "two\nstill two")


def test_a_colleagues_name_is_marked_and_nothing_typed_becomes_markup() -> None:
    (said,) = paragraphs("<b>@Bo Ek</b> & @Bo Ekman", names=("Bo Ek", "Bo Ekman"))

    assert isinstance(said, SafeString)
    assert said == (
        '&lt;b&gt;<span class="mention">@Bo Ek</span>&lt;/b&gt; &amp; <span class="mention">@Bo Ekman</span>'
    )


def test_text_without_a_mention_stays_plain_and_is_escaped_by_the_template() -> None:
    (said,) = paragraphs("1 < 2", names=("Bo Ek",))

    assert not isinstance(said, SafeString)
