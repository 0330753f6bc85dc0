"""Event logs: rows of a CSV file in, entries out, and every fault with its line."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowdesk.engine.history import LogEntry, LogState
from flowdesk.intake.event_log import EventLogFault, Progress, read_entries
from flowdesk.policies.reader import PolicyFaults
from flowdesk.policies.replay import read_replay_policy
from flowdesk.policies.sections.event_log import LogLayout

POLICY = """\
calendars: {week: {zone: UTC, hours: weekdays}}
tiers: {gold: {calendar: week, rank: 1}}
promises:
  metrics: {resolution: {starts: [created], stops: [closed]}}
  targets: {}
  defaults: {resolution: 4 h}
log:
  zone: Europe/Stockholm
  columns: {ticket: nr, at: when, state: status, opened_at: opened, priority: prio, tier: level, reopened: again,
            assignee: who, team: group, channel: via}
  missing: ["?", "-"]
  phone: [Call]
  priority: P3
  priorities: {Hot: P1, Cold: P4}
  states: {New: open, Waiting: customer, Done: resolved, "?": same}
"""
HEADER = "when,nr,status,opened,prio,level,again,who,group,via,colour\n"
FULL = "2026-06-15T09:00,T1,New,2026-06-15T08:55,Hot,gold,2,Bo,Tier 1,Call,red\n"
EMPTY = "2026-06-15 09:01:30,T2,?,?,-,,,?,,Mail,\n"


def a_layout(*changes: tuple[str, str]) -> LogLayout:
    text = POLICY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return read_replay_policy(text, name="policy", holidays=lambda code: ()).layout


def a_log(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "log.csv"
    path.write_text("".join([header, *rows]), encoding="utf-8")
    return path


def entries(path: Path, layout: LogLayout | None = None) -> list[LogEntry]:
    return list(read_entries(path, layout=layout or a_layout()))


def the_fault(path: Path, layout: LogLayout | None = None) -> EventLogFault:
    with pytest.raises(EventLogFault) as caught:
        entries(path, layout)
    return caught.value


def row(
    at: str = "2026-06-15T09:00", *, ticket: str = "T1", state: str = "New", prio: str = "", level: str = ""
) -> str:
    return f"{at},{ticket},{state},,{prio},{level},,,,,\n"


def test_a_row_tells_how_a_ticket_stands(tmp_path: Path) -> None:
    (entry,) = entries(a_log(tmp_path, FULL))

    assert entry == LogEntry(
        ticket="T1",
        at=datetime(2026, 6, 15, 7, tzinfo=UTC),
        state=LogState.OPEN,
        priority=1,
        tier="gold",
        opened_at=datetime(2026, 6, 15, 6, 55, tzinfo=UTC),
        assignee="Bo",
        team="Tier 1",
        reopened=2,
        is_phone=True,
    )


def test_empty_cells_and_their_words_say_nothing(tmp_path: Path) -> None:
    (entry,) = entries(a_log(tmp_path, EMPTY))

    assert entry == LogEntry(
        ticket="T2",
        at=datetime(2026, 6, 15, 7, 1, 30, tzinfo=UTC),
        state=LogState.SAME,
        priority=3,
        assignee="",
        team="",
    )


def test_a_gzipped_log_reads_as_the_plain_one(tmp_path: Path) -> None:
    plain = a_log(tmp_path, FULL, EMPTY)
    packed = tmp_path / "log.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert entries(packed) == entries(plain)


def test_a_byte_order_mark_windows_line_ends_and_empty_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (HEADER + FULL + "\n" + EMPTY + "\n").replace("\n", "\r\n").encode())

    assert len(entries(path)) == 2


def test_times_may_follow_a_pattern(tmp_path: Path) -> None:
    layout = a_layout(("  zone: Europe", '  times: "%d/%m/%Y %H:%M"\n  zone: Europe'))

    (entry,) = entries(a_log(tmp_path, row("15/6/2026 09:00")), layout)

    assert entry.at == datetime(2026, 6, 15, 7, tzinfo=UTC)


def test_a_time_with_an_offset_needs_no_zone(tmp_path: Path) -> None:
    (entry,) = entries(a_log(tmp_path, row("2026-06-15T09:00-04:00")))

    assert entry.at == datetime(2026, 6, 15, 13, tzinfo=UTC)


def test_semicolons_may_part_the_cells(tmp_path: Path) -> None:
    layout = a_layout(("  phone:", "  delimiter: semicolon\n  phone:"))
    path = a_log(tmp_path, FULL.replace(",", ";"), header=HEADER.replace(",", ";"))

    assert [entry.ticket for entry in entries(path, layout)] == ["T1"]


def test_the_hour_that_clocks_show_twice_runs_forward(tmp_path: Path) -> None:
    log = a_log(tmp_path, *(row(f"2026-10-25T{wall}") for wall in ("02:30", "02:50", "02:10", "03:00")))

    instants = [entry.at for entry in entries(log)]

    assert [at - instants[0] for at in instants] == [
        timedelta(minutes=minutes) for minutes in (0, 20, 40, 90)
    ]


def test_rows_of_one_instant_keep_their_order(tmp_path: Path) -> None:
    log = a_log(tmp_path, row(ticket="T2"), row(ticket="T1"))

    assert [entry.ticket for entry in entries(log)] == ["T2", "T1"]


def test_reading_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[Progress] = []
    log = a_log(tmp_path, *[row()] * 2500)

    list(read_entries(log, layout=a_layout(), tell=told.append))

    assert [progress.rows for progress in told] == [1000, 2000, 2500]
    assert [progress.share for progress in told] == sorted(progress.share for progress in told)
    assert told[-1].share == 1


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        (row(""), "when", "'' is no time written like 2026-03-29T14:05"),
        (row("15/6/2026"), "when", "'15/6/2026' is no time"),
        (row("2026-06-15T08:59"), "when", "earlier than the row before"),
        (row(state="Nwe"), "status", "unknown status 'Nwe'; did you mean 'New'?"),
        (row(state=""), "status", "unknown status ''"),
        (row(ticket=""), "nr", "names no ticket"),
        (row(ticket="?"), "nr", "names no ticket"),
        (row(prio="Warm"), "prio", "unknown priority 'Warm'"),
        (row(level="gol"), "level", "unknown tier 'gol'; did you mean 'gold'?"),
        (FULL.replace(",2,", ",two,"), "again", "'two' is no count"),
        (FULL.replace("08:55", "yesterday"), "opened", "is no time written like"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_by_line_and_column(
    tmp_path: Path, bad: str, column: str, reason: str
) -> None:
    path = a_log(tmp_path, FULL, bad)

    fault = the_fault(path)

    assert (fault.line, fault.column) == (3, column)
    assert reason in fault.reason
    assert str(fault).startswith(f"{path}, line 3, column {column!r}: ")


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = a_log(tmp_path, FULL.replace("red", '"red\nand\ngreen"'), "\n", row(state="Lost"))

    assert the_fault(path).line == 6


@pytest.mark.parametrize("bad", ["2026-06-15T09:00,T1,New\n", FULL.replace("red", "red,blue")])
def test_a_row_of_another_width_is_refused(tmp_path: Path, bad: str) -> None:
    fault = the_fault(a_log(tmp_path, bad))

    assert (fault.line, "the first line has 11" in fault.reason) == (2, True)


def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    fault = the_fault(a_log(tmp_path, header=HEADER.replace("status", "statuz")))

    assert (fault.line, fault.column) == (1, "status")
    assert "did you mean 'statuz'?" in fault.reason


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    fault = the_fault(a_log(tmp_path, header=HEADER.replace("colour", "status")))

    assert (fault.line, fault.column) == (1, "status")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert the_fault(a_log(tmp_path, header="")).line == 1


def test_a_log_of_columns_alone_has_no_entries(tmp_path: Path) -> None:
    assert entries(a_log(tmp_path)) == []


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_a_file_that_cannot_be_opened_is_a_fault(tmp_path: Path, name: str) -> None:
    assert the_fault(tmp_path / name).line == 0


def test_a_broken_gzip_file_names_the_line_it_breaks_at(tmp_path: Path) -> None:
    whole = gzip.compress((HEADER + "".join(row(ticket=f"T{n * 7919}") for n in range(9000))).encode())
    path = tmp_path / "log.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])

    fault = the_fault(path)

    assert "gzip file is broken" in fault.reason
    assert 1000 < fault.line < 9000


@pytest.mark.parametrize("content", [b"not gzip at all", b"\x1f\x8bnonsense", b""])
def test_what_only_says_it_is_gzip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(content)

    assert the_fault(path).line == 1


@pytest.mark.parametrize("cell", [b"\xff\xfe", b'"never closed', b'"a"b'])
def test_what_is_no_text_or_no_csv_is_refused(tmp_path: Path, cell: bytes) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes((HEADER + FULL).encode() + FULL.encode().replace(b"red", cell))

    assert the_fault(path).line == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("Europe/Stockholm", "Europe/Nowhere"), "unknown time zone 'Europe/Nowhere'"),
        (("ticket: nr, ", ""), "needs the column for 'ticket'"),
        (("team: group", "team: who"), "the column 'who' is used already"),
        (("team: group", "crew: group"), "expects one of ticket, at, state"),
        (("Done: resolved", "Done: finished"), "expects one of open, customer"),
        (("Hot: P1", "Hot: P9"), "'p9' is no priority"),
        (("  priority: P3\n", "  priority: P3\n  tier: silver\n"), "there is no tier 'silver'"),
        (("  missing:", "  times: noon\n  missing:"), "times are `iso` or a pattern"),
        (("  missing:", "  delimiter: pipe\n  missing:"), "a delimiter is comma, semicolon or tab"),
        (("  missing:", "  colour: red\n  missing:"), "unknown key 'colour'"),
        (("  priorities: {Hot: P1, Cold: P4}\n", ""), "needs `priorities`"),
        (("prio, tier", "prio, tear"), "expects one of ticket"),
    ],
)
def test_a_layout_that_cannot_be_used_is_told_with_its_place(change: tuple[str, str], reason: str) -> None:
    with pytest.raises(PolicyFaults) as caught:
        a_layout(change)

    assert reason in str(caught.value)
    assert ", line " in str(caught.value)
