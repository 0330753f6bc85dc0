"""Policy documents ready to start from: one folder per pack, one YAML file per section.

Law: a pack is data. A tenant's first revision is copied from it; later editions of a pack change nobody. What a
later one has got is told (`policies.queries.rules_lacking`), and somebody adds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from flowdesk.policies.rule_text import has_list, inserted, texts_in

LISTS = (("escalation", "events"), ("escalation", "states"), ("routing", "rules"))  # of rules that have names


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRule:
    """One rule of a pack, as it is written there; its name is its own in the whole pack."""

    section: str
    of: str  # the list of the section that it stands in
    name: str
    text: str


def read_pack_text(section: str, *, pack: str = "standard") -> str:
    """The YAML of one section of a pack; raises FileNotFoundError where the pack has none."""
    return files(__name__).joinpath(pack, f"{section}.yaml").read_text(encoding="utf-8")


@cache
def pack_rules() -> tuple[PackRule, ...]:
    """The rules of the standard pack, in its order."""
    return tuple(
        PackRule(section=section, of=of, name=rule.name, text=rule.text)
        for section, of in LISTS
        for rule in texts_in(read_pack_text(section), of=of)
    )


def with_pack_rule(text: str, rule: PackRule) -> str:
    """A section's text with a rule of the pack behind the one that it follows there, as far as the section has that;
    else at the end. Raises PolicyFaults for a text that cannot be read."""
    mine = [one.name for one in pack_rules() if one.of == rule.of]
    above = set(mine[: mine.index(rule.name)])
    known = [one.name for one in texts_in(text, of=rule.of)] if has_list(text, rule.of) else []
    places = [place for place, name in enumerate(known) if name in above]
    return inserted(text, rule.text, of=rule.of, at=places[-1] + 1 if places else len(known))
