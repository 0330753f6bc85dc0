"""The section `hubs` becomes a hub policy, or faults with their line and column."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from flowdesk.engine.business_time import Weekday
from flowdesk.engine.cadence import Weekly
from flowdesk.engine.lanes import HubPolicy, Lane, Thresholds, Window
from flowdesk.policies import sections
from flowdesk.policies.reader import PolicyFaults, read_document
from flowdesk.policies.sections.hubs import read_hubs

STANDARD = (Path(sections.__file__).parents[1] / "packs" / "standard" / "hubs.yaml").read_text(
    encoding="utf-8"
)


def hubs(text: str) -> HubPolicy:
    return read_hubs(read_document(text, "hubs"))


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(PolicyFaults) as caught:
        hubs(text)
    return [(fault.line, fault.reason) for fault in caught.value.faults]


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(STANDARD.splitlines(), 1) if text in line)


def test_the_standard_pack_names_document_0s_owners_and_times() -> None:
    found = hubs(STANDARD)

    assert {row.key: row.owner for row in found.lanes} == {
        Lane.SLA_BREACHED: "support_lead",
        Lane.ESCALATION_DUE: "escalation_owner",
        Lane.FIRST_RESPONSE: "support_lead",
        Lane.CALLBACK: "callback_ops",
        Lane.PRESSURE: "automation_owner",
        Lane.REOPEN_RISK: "quality_owner",
        Lane.CSAT_FOLLOWUP: "experience_owner",
    }
    assert found.review.owner == "support_lead"
    assert found.review.cadence == Weekly(weekday=Weekday.MONDAY, at=time(9))
    assert found.automation == Weekly(weekday=Weekday.MONDAY, at=time(8, 15))
    assert found.goal_percent == 95
    assert found.windows == (Window.DAY, Window.WEEK, Window.MONTH)


def test_lanes_keep_the_order_of_the_page_however_they_are_written() -> None:
    lines = STANDARD.splitlines()
    start = lines.index("lanes:") + 1
    turned = "\n".join([*lines[:start], *reversed(lines[start:])])

    assert [row.key for row in hubs(turned).lanes] == list(Lane)


def test_a_threshold_left_out_never_happens() -> None:
    found = hubs(
        STANDARD.replace("sla_breached: {owner: support_lead, critical: 1}", "sla_breached: {owner: ada}")
    )

    assert found.lanes[0].thresholds == Thresholds()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("callback: {owner: callback_ops, critical: 1}", "callbak: {owner: callback_ops}", "unknown key 'callbak'"),
        ("warning: 5, critical: 20", "warning: 50, critical: 20", "a lane warns before it is critical"),
        ("windows: [24h, 7d, 30d]", "windows: [24h, 24h]", "names a window twice"),
        ("windows: [24h, 7d, 30d]", "windows: []", "is empty"),
        ("goal_percent: 95", "goal_percent: 101", "is 101; 100 is the most"),
        ("review: {day: mon", "review: {day: someday", "expects one of mon"),
        ('"09:00", zone: Europe/Stockholm', '"09:00", zone: Europe/Stokholm', "did you mean 'Europe/Stockholm'?"),
    ],
)  # fmt: skip
def test_a_fault_names_its_line_and_its_reason(old: str, new: str, reason: str) -> None:
    line = line_of(old)

    found = faults(STANDARD.replace(old, new))

    assert any(reason in said and at == line for at, said in found)


def test_every_fault_is_told_at_once() -> None:
    broken = STANDARD.replace("goal_percent: 95", "goal_percent: much").replace(
        "critical: 1.3", "critical: hot"
    )

    assert len(faults(broken)) == 2
