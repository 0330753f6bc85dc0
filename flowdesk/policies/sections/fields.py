"""The section `fields`: what a tenant keeps on its tickets beside what every ticket has.

`amount: number` says the type alone; `contract: {type: slug, label: Contract, choices: [gold, silver]}` says it all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from flowdesk.engine.facts import CustomField, FieldType
from flowdesk.policies.reader import FaultList, Kind, Node

MOST_FIELDS, MOST_CHOICES = 50, 50
LONGEST_LABEL = 60
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class _Type(StrEnum):
    """Of the types that conditions know, those a tenant's own field may have."""

    NUMBER = FieldType.NUMBER
    TEXT = FieldType.TEXT
    SLUG = FieldType.SLUG
    TRUTH = FieldType.TRUTH


def read_fields(node: Node) -> dict[str, CustomField]:
    """The tenant's own fields by key; raises PolicyFaults with every fault."""
    faults, found = FaultList(), dict[str, CustomField]()
    if len(node.items()) > MOST_FIELDS:
        raise node.refuse(f"holds {len(node.items())} fields; {MOST_FIELDS} is the most")
    for key, value in node.items():
        with faults:
            found[_word(key)] = _read_field(value)
    faults.raise_any()
    return found


def _read_field(node: Node) -> CustomField:
    if node.kind is Kind.TEXT:
        return CustomField(type=FieldType(node.choice(_Type)))
    parts = node.mapping(required=["type"], optional=["label", "choices"])
    known = CustomField(type=FieldType(parts["type"].choice(_Type)))
    if "label" in parts:
        label = " ".join(parts["label"].text(longest=1_000).split())
        if len(label) > LONGEST_LABEL or not label.isprintable():
            raise parts["label"].refuse(f"must be one line of at most {LONGEST_LABEL} characters")
        known = replace(known, label=label)
    if "choices" in parts:
        known = replace(known, choices=_read_choices(parts["choices"], known.type))
    return known


def _read_choices(node: Node, of: FieldType) -> tuple[str, ...]:
    if of is not FieldType.SLUG:
        raise node.refuse("is only for a field of the type slug")
    if len(node.list()) > MOST_CHOICES:
        raise node.refuse(f"holds {len(node.list())} choices; {MOST_CHOICES} is the most")

    words = node.each(_word)
    if len(set(words)) < len(words):
        raise node.refuse("names a choice twice")
    return words


def _word(node: Node) -> str:
    if not KEY.fullmatch(node.raw):
        raise node.refuse(
            "must be a word of at most 40 lower-case letters, digits and underscores, and begin with a letter"
        )
    return node.raw


def words_given_up(
    before: Mapping[str, CustomField], after: Mapping[str, CustomField]
) -> list[tuple[str, str]]:
    """The words that lists held and hold no more, each with its field; a list without a word takes them all."""
    return [
        (key, word)
        for key, known in after.items()
        if known.choices and key in before
        for word in before[key].choices
        if word not in known.choices
    ]


def fields_text(fields: Mapping[str, CustomField]) -> str:
    """The section as it is written; `read_fields` reads it again, and refuses what is no key or choice."""

    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    lines = []
    for key, known in fields.items():
        parts = [f"type: {known.type}"]
        if known.label:
            parts.append(f"label: {quoted(known.label)}")
        if known.choices:
            parts.append("choices: [" + ", ".join(map(quoted, known.choices)) + "]")
        lines.append(
            f"{key if KEY.fullmatch(key) else quoted(key)}: "
            + (f"{{{', '.join(parts)}}}" if len(parts) > 1 else known.type)
        )
    return "\n".join(lines or ["{}"]) + "\n"
