"""The `priority` section: matrix, category bounds, and what raises or caps."""

from __future__ import annotations

from itertools import product

from flowdesk.engine.facts import PRIORITY_WORDS, Priority
from flowdesk.engine.priority import STANDARD_MATRIX, Bounds, Grade, Matrix, PriorityRules
from flowdesk.policies.reader import FaultList, Node, suggestion

_KEYS = (
    "matrix",
    "bounds",
    "raising_tiers",
    "raising_escalations",
    "angry_signals",
    "capped_tiers",
    "text_cap",
)


def read_priority(node: Node) -> PriorityRules:
    """The rules the section states, the standard ones for what it leaves out; raises PolicyFaults."""
    faults, found = FaultList(), node.mapping(optional=_KEYS)
    standard = PriorityRules()
    matrix, bounds, texts = standard.matrix, dict(standard.bounds), {}
    with faults:
        matrix = read_matrix(found["matrix"]) if "matrix" in found else standard.matrix
    with faults:
        bounds = read_bounds(found["bounds"]) if "bounds" in found else bounds
    for name in ("raising_tiers", "angry_signals", "capped_tiers"):
        with faults:
            if name in found:
                texts[name] = frozenset(found[name].each(Node.text))
    escalations, cap = standard.raising_escalations, standard.text_cap
    with faults:
        if "raising_escalations" in found:
            escalations = found["raising_escalations"].integer(least=0, most=1_000)
    with faults:
        cap = read_one_priority(found["text_cap"]) if "text_cap" in found else cap
    faults.raise_any()
    return PriorityRules(
        matrix=matrix,
        bounds=bounds,
        raising_tiers=texts.get("raising_tiers", standard.raising_tiers),
        raising_escalations=escalations,
        angry_signals=texts.get("angry_signals", standard.angry_signals),
        capped_tiers=texts.get("capped_tiers", standard.capped_tiers),
        text_cap=cap,
    )


def read_one_priority(node: Node) -> Priority:
    """`P1` or `critical`, in any case."""
    word = node.text()
    if word.casefold() not in PRIORITY_WORDS:
        hint = suggestion(word.casefold(), PRIORITY_WORDS)
        raise node.refuse(f"expects a priority as P1 or critical, not {word!r}{hint}")
    return PRIORITY_WORDS[word.casefold()]


def read_matrix(node: Node) -> Matrix:
    """All nine cells, as `high: {high: P1, medium: P2, low: P3}`, impact outside, urgency inside."""
    faults = FaultList()
    grades = [grade.value for grade in Grade]
    matrix = dict(STANDARD_MATRIX)
    rows = node.mapping(required=grades)
    cells = {}
    for impact in Grade:
        with faults:
            cells[impact] = rows[impact].mapping(required=grades)
    for impact, urgency in product(cells, Grade):
        with faults:
            matrix[impact, urgency] = read_one_priority(cells[impact][urgency])
    faults.raise_any()
    return matrix


def read_bounds(node: Node) -> dict[str, Bounds]:
    """`category` or `category/subcategory` to `P2-P3`, or `P3` alone for one priority only."""
    faults, bounds = FaultList(), {}
    for key, value in node.items():
        with faults:
            bounds[key.text()] = _read_bound(value)
    faults.raise_any()
    return bounds


def _read_bound(node: Node) -> Bounds:
    words = [word.strip().casefold() for word in node.text().split("-")]
    if len(words) > 2 or any(word not in PRIORITY_WORDS for word in words):
        raise node.refuse(f"expects a priority or two as P2-P3, not {node.raw!r}")
    highest, lowest = PRIORITY_WORDS[words[0]], PRIORITY_WORDS[words[-1]]
    if highest > lowest:
        raise node.refuse(f"puts the lower priority first; write {lowest.name}-{highest.name}")
    return Bounds(highest=highest, lowest=lowest)
