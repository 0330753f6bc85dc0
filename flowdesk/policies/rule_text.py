"""Rules as text: one is moved, changed, added or taken out, and what people wrote around it stays.

A document is its author's: comments and spelling are theirs. So these work on lines, and know rules by their places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import dedent, indent

from flowdesk.policies.reader import Kind, Node, PolicyFaults, read_document

_BEGINS = re.compile(r"(\s*)-(\s+)\S")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
# What YAML, or a reader of ours, would take for something else than a word.
_SPECIAL = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
NAME = "routing"
RULES = "rules"  # the list of the routing rules; other sections call theirs otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleValues:
    """A rule as a form asks for it, all of it text; empty means left out."""

    name: str
    condition: str
    action: str = ""
    team: str = ""
    strategy: str = ""
    skills: tuple[str, ...] = ()
    dedicated: bool = False
    senior: bool = False
    notify: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    sla_target: str = ""
    loosen: bool = False
    mode: str = ""

    def lines(self) -> list[str]:
        """Its YAML, without the dash."""
        found = [f"name: {_word(self.name)}", f"condition: {_quoted(self.condition)}"]
        single = {"action": self.action, "team": self.team, "strategy": self.strategy}
        found += [f"{key}: {_word(value)}" for key, value in single.items() if value]
        several = {"skills": self.skills, "notify": self.notify, "cc": self.cc}
        found += [f"{key}: {_words(values)}" for key, values in several.items() if values]
        marks = {"dedicated": self.dedicated, "senior": self.senior}
        found += [f"{key}: true" for key, is_set in marks.items() if is_set]
        if self.sla_target:
            found.append(f"sla_target: {_word(self.sla_target)}")
        if self.loosen:
            found.append("loosen: true")
        if self.mode:
            found.append(f"mode: {_word(self.mode)}")
        return found


def section_of(source: str, name: str) -> str:
    """The text of one section of a policy document, as if it were a document of its own."""
    lines, (start, end) = source.splitlines(), _span_of(source, name)
    return dedent("\n".join(lines[start + 1 : end])).strip("\n") + "\n"


def with_section(source: str, name: str, text: str) -> str:
    """The document with another text in the place of one section; one that it lacks comes last."""
    lines, body = source.splitlines(), indent(text.strip("\n"), "  ").splitlines()
    if name not in [key.raw for key, _ in read_document(source, "policy").items()]:
        return "\n".join([*lines, f"{name}:", *body]) + "\n"
    start, end = _span_of(source, name)
    return "\n".join([*lines[:start], f"{name}:", *body, *lines[end:]]) + "\n"


def rules_in(text: str) -> list[RuleValues]:
    """The rules of a section, as a form shows them. Raises PolicyFaults for what is no list of mappings."""
    return [_values(node) for node in _rule_nodes(text)]


def moved(text: str, rule: int, *, to: int) -> str:
    """The section with one rule in another place; both count from 0."""
    head, blocks, tail = _parted(text)
    block = blocks.pop(rule)
    blocks.insert(max(0, min(to, len(blocks))), block)
    return _joined(head, blocks, tail)


def removed(text: str, rule: int) -> str:
    """The section without one rule."""
    head, blocks, tail = _parted(text)
    del blocks[rule]
    if not blocks:  # a list without an entry is written out
        head = [line.rstrip().removesuffix(":") + ": []" if _is_key(line, RULES) else line for line in head]
    return _joined(head, blocks, tail)


def changed(text: str, rule: int, values: RuleValues) -> str:
    """The section with other values in the place of one rule; the comment above it stays."""
    head, blocks, tail = _parted(text)
    old = blocks[rule]
    comments = [line for line in old[: _first_line(old)] if line.strip()]
    blocks[rule] = [*comments, *_block(values, like=blocks), *_blank_end(old)]
    return _joined(head, blocks, tail)


def added(text: str, values: RuleValues, *, at: int) -> str:
    """The section with one more rule, before the one at that place."""
    head, blocks, tail = _parted(text)
    blocks.insert(max(0, min(at, len(blocks))), [*_block(values, like=blocks), ""])
    return _joined(_opened(head), blocks, tail)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """A rule as it is written, with its dash and the comments above it."""

    name: str
    text: str


def texts_in(text: str, *, of: str) -> list[RuleText]:
    """The rules of a section's list. Raises PolicyFaults for what is no list of mappings, each on lines of its own."""
    _head, blocks, _tail = _parted(text, of=of)
    return [
        RuleText(
            name=next((value.raw for key, value in node.items() if key.raw == "name"), ""),
            text=dedent("\n".join(block)).strip("\n"),
        )
        for node, block in zip(_rule_nodes(text, of=of), blocks, strict=True)
    ]


def has_list(text: str, of: str) -> bool:
    """Whether a section has a list of that name."""
    return of in [key.raw for key, _ in read_document(text, NAME).items()]


def inserted(text: str, rule: str, *, of: str, at: int) -> str:
    """The section with one more rule as it was written elsewhere, before the one at that place of the list; nothing
    else is touched. Raises PolicyFaults as `texts_in`."""
    if not has_list(text, of):
        return "\n".join([*text.splitlines(), f"{of}:", *indent(rule, "  ").splitlines()]) + "\n"
    head, blocks, tail = _parted(text, of=of)
    new = indent(rule, _lead(blocks)).splitlines()
    if not blocks:
        head = _opened(head, of=of)
    elif any(_blank_end(block) for block in blocks[:-1]):
        is_last = at >= len(blocks) and not _blank_end(blocks[-1])
        new = ["", *new] if is_last else [*new, ""]
    blocks.insert(max(0, min(at, len(blocks))), new)
    return "\n".join([*head, *(line for block in blocks for line in block), *tail]) + "\n"


def _block(values: RuleValues, *, like: Sequence[Sequence[str]]) -> list[str]:
    """A rule with its dash, set in as those beside it are."""
    lead = _lead(like)
    first, *rest = values.lines()
    return [f"{lead}- {first}", *(f"{lead}  {line}" for line in rest)]


def _lead(like: Sequence[Sequence[str]]) -> str:
    """How far rules are set in."""
    found = next((m for block in like for line in block if (m := _BEGINS.match(line))), None)
    return found[1] if found else "  "


def _opened(head: Sequence[str], *, of: str = RULES) -> list[str]:
    """The lines above the rules, where the list was written as an empty one."""
    return [re.sub(r":\s*\[\s*\]\s*$", ":", line) if _is_key(line, of) else line for line in head]


def _parted(text: str, *, of: str = RULES) -> tuple[list[str], list[list[str]], list[str]]:
    """The lines above the rules, those of each rule with the comments above it, and those below."""
    lines, nodes = text.splitlines(), _rule_nodes(text, of=of)
    starts: list[int] = []
    for node in nodes:
        at = node.line - 1
        if not _BEGINS.match(lines[at]):
            raise node.refuse(
                "stands on a line with others; give each rule a line with a dash to change it here"
            )
        floor = starts[-1] + 1 if starts else _line_of_key(text, of) + 1
        while at > floor and lines[at - 1].lstrip().startswith("#"):
            at -= 1
        starts.append(at)
    if not nodes:
        after = _line_of_key(text, of) + 1
        return lines[:after], [], lines[after:]
    end = _end_of_rules(text, len(lines), of=of)
    bounds = [*starts, end]
    return lines[: starts[0]], [lines[a:b] for a, b in pairwise(bounds)], lines[end:]


def _joined(head: Sequence[str], blocks: Sequence[Sequence[str]], tail: Sequence[str]) -> str:
    """One blank line between rules, however they came to stand beside one another."""
    lines = [*head]
    for block in blocks:
        kept = list(block)
        while kept and not kept[-1].strip():
            kept.pop()
        lines += [*kept, ""]
    after = list(tail)
    while after and not after[0].strip():
        after.pop(0)
    if not after:
        while lines and not lines[-1].strip():
            lines.pop()
    return "\n".join([*lines, *after]) + "\n"


def _first_line(block: Sequence[str]) -> int:
    return next(count for count, line in enumerate(block) if _BEGINS.match(line))


def _blank_end(block: Sequence[str]) -> list[str]:
    return [""] if block and not block[-1].strip() else []


def _rule_nodes(text: str, *, of: str = RULES) -> list[Node]:
    root = read_document(text, NAME)
    for key, value in root.items():
        if key.raw == of:
            return list(value.list())
    raise root.refuse(f"needs the key {of!r}")


def _line_of_key(text: str, name: str) -> int:
    """The line of a key of the section, from 0."""
    return next(key.line - 1 for key, _ in read_document(text, NAME).items() if key.raw == name)


def _end_of_rules(text: str, count: int, *, of: str) -> int:
    """The line after the last rule: where the next key begins, with the comments above it."""
    lines, keys = text.splitlines(), [key for key, _ in read_document(text, NAME).items()]
    later = [key.line - 1 for key in keys if key.line - 1 > _line_of_key(text, of)]
    if not later:
        return count
    end = min(later)
    while lines[end - 1].startswith("#"):
        end -= 1
    return end


def _is_key(line: str, name: str) -> bool:
    return bool(re.match(rf"{name}\s*:", line))


def _span_of(source: str, name: str) -> tuple[int, int]:
    """The line of a section's key, and the line of the next section's; from 0."""
    keys = [key for key, _ in read_document(source, "policy").items()]
    for place, key in enumerate(keys):
        if key.raw == name:
            after = keys[place + 1].line - 1 if place + 1 < len(keys) else len(source.splitlines())
            return key.line - 1, after
    raise PolicyFaults([read_document(source, "policy").fault(f"needs the key {name!r}")])


def _values(node: Node) -> RuleValues:
    found = {key.raw: value for key, value in node.items()}

    def one(key: str) -> str:
        return found[key].raw if key in found and found[key].kind is Kind.TEXT else ""

    def many(key: str) -> tuple[str, ...]:
        return tuple(value.raw for value in found[key].one_or_more()) if key in found else ()

    def truth(key: str) -> bool:
        return one(key).lower() in ("true", "yes", "on")

    return RuleValues(
        name=one("name"), condition=one("condition"), action=one("action"), team=one("team"),
        strategy=one("strategy"), skills=many("skills"), dedicated=truth("dedicated"), senior=truth("senior"),
        notify=many("notify"), cc=many("cc"), sla_target=one("sla_target"), loosen=truth("loosen"), mode=one("mode"),
    )  # fmt: skip


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _word(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _SPECIAL
    return text if is_plain or re.fullmatch(r"[0-9]+_[a-z]+", text) else _quoted(text)


def _words(values: Sequence[str]) -> str:
    said = [_word(value) for value in values]
    return said[0] if len(said) == 1 else f"[{', '.join(said)}]"
