"""The samples of docs/policy.md are documents that can be read."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from flowdesk.engine.conditions import compile_condition
from flowdesk.engine.facts import FIELDS, CustomField, FieldType, vocabulary
from flowdesk.policies.document import OPTIONAL, SECTIONS, read_policy
from flowdesk.policies.holidays import named_holidays
from flowdesk.policies.services import pack_source

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
SAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
CONDITIONS = re.findall(r"### Conditions\n\n```\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()


def holidays(code: str) -> tuple[tuple[date, str], ...]:
    return named_holidays(code, range(2026, 2028))


def test_the_samples_together_are_a_whole_policy() -> None:
    document = read_policy("".join(SAMPLES), name="policy.md", revision=1, holidays=holidays)

    assert document.promises.name == "ours"
    assert [rule.name for rule in document.routing.rules] == ["large-bill", "critical-technical"]


def test_every_section_has_its_sample() -> None:
    shown = {section for sample in SAMPLES for section in yaml.safe_load(sample)}

    assert shown == {*SECTIONS, *OPTIONAL}


@pytest.mark.parametrize("text", CONDITIONS)
def test_each_condition_of_the_page_can_be_read(text: str) -> None:
    assert compile_condition(text, fields=vocabulary({"amount": CustomField(type=FieldType.NUMBER)}))


def test_every_name_of_the_language_is_in_the_table() -> None:
    named = set(re.findall(r"`([a-z_.]+)`", PAGE))

    assert set(FIELDS) <= named


def test_the_page_speaks_of_the_standard_pack_that_is_there() -> None:
    assert (
        read_policy(pack_source(), name="standard", revision=1, holidays=holidays).promises.name == "standard"
    )
