"""A ticket's log folded into its promises: what the clocks must be if the log is the truth.

Every line is what a flow wrote when it let something happen; folding repeats those happenings on the terms as
they stood, so the result equals the stored clocks, and its entries are the ledger of every clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from flowdesk.engine.merging import Before, before_merge, moved, restored, waiting_again
from flowdesk.engine.promises import (
    Change,
    Entry,
    Occurrence,
    Promises,
    Terms,
    Wait,
    WaitReason,
    advance,
    after,
)
from flowdesk.engine.sla_policy import RuleTarget
from flowdesk.policies.document import PolicyDocument
from flowdesk.policies.services import policy_of
from flowdesk.sla.mapping import starts_of
from flowdesk.tickets.states import EventKind

# Reasons that flows write into lines (see flows.desk and flows.receive).
HANDED_UP = "outstayed_level"  # given on by the rule on time in a level, after the escalation was written
BY_LIMIT = "limit"  # a wait that reached its bound, ended by time alone
BY_HAND = "by_hand"  # other ends of waits follow from what the same act says already

FIRED = frozenset({EventKind.STEP_FIRED, EventKind.TICKET_ESCALATED})
# Acts that count promises from another start.
MOVES = frozenset({EventKind.MERGE_TAKEN, EventKind.MERGE_RETURNED})
# Acts before which time passes up to their very instant; before others it stops just short of it.
AFTER_TIME = frozenset(
    {
        EventKind.PRIORITY_CHANGED,
        EventKind.TERMS_CHANGED,
        EventKind.ESCALATION_ACKNOWLEDGED,
        EventKind.TICKET_UNMERGED,
        EventKind.MERGE_TAKEN,
        EventKind.MERGE_RETURNED,
    }
)
PLAIN: Mapping[EventKind, Occurrence] = {
    EventKind.AGENT_REPLIED: Occurrence.AGENT_REPLIED,
    EventKind.TICKET_ASSIGNED: Occurrence.ASSIGNED,
    EventKind.TICKET_UNASSIGNED: Occurrence.UNASSIGNED,
    EventKind.LEVEL_CHANGED: Occurrence.LEVEL_ENTERED,
    EventKind.PRIORITY_CHANGED: Occurrence.TERMS_CHANGED,
    EventKind.TERMS_CHANGED: Occurrence.TERMS_CHANGED,
    EventKind.WAIT_STARTED: Occurrence.WAIT_STARTED,
    EventKind.TICKET_RESOLVED: Occurrence.RESOLVED,
    EventKind.TICKET_REOPENED: Occurrence.REOPENED,
    EventKind.TICKET_CLOSED: Occurrence.CLOSED,
    EventKind.TICKET_VOIDED: Occurrence.VOIDED,
    EventKind.TICKET_MERGED: Occurrence.MERGED,
}


class Line(Protocol):
    """A line of a ticket's log, as a row or as a value."""

    @property
    def kind(self) -> str: ...

    @property
    def at(self) -> datetime: ...

    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Folded:
    """The promises after the last line and after time alone, and every ledger line on the way, oldest first."""

    promises: Promises
    entries: tuple[Entry, ...]


def fold(
    log: Iterable[Line],
    *,
    policy: PolicyDocument,
    to: datetime,
    read: Callable[[int], PolicyDocument] = policy_of,
) -> Folded:
    """The promises at `to` of the ticket whose whole log this is, oldest line first.

    `policy` is the tenant's policy at `to`; `read` gives the revisions that the log names.
    """
    folding = _Folding(read)
    for act in acts(log):
        folding.take(act)
    if folding.is_begun:
        folding.policy = policy
        folding.pass_time(to=to)
    return Folded(folding.promises, tuple(folding.entries))


def acts(log: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines of one act together."""
    act: list[Line] = []
    for line in log:
        if act and not line.data.get("also"):
            yield act
            act = []
        act.append(line)
    if act:
        yield act


class _Folding:
    """A ticket in the making: its promises and the terms it stands under."""

    policy: PolicyDocument

    def __init__(self, read: Callable[[int], PolicyDocument]) -> None:
        self.read = read
        self.promises = Promises()
        self.entries: list[Entry] = []
        self.is_begun = False
        self.revision = 0
        self.priority, self.level, self.tier = 0, 1, ""
        self.rule_target: RuleTarget | None = None
        self.before: Before | None = None  # the merge that the ticket is in

    @property
    def terms(self) -> Terms:
        return self.policy.promises.terms(
            priority=self.priority, tier=self.tier, level=self.level, rule_target=self.rule_target
        )

    def pass_time(self, *, to: datetime) -> None:
        self._took(advance(self.promises, self.terms, to=to))

    def happen(
        self,
        kinds: Iterable[Occurrence],
        *,
        at: datetime,
        waits: Iterable[WaitReason] = (),
        ended_waits: Iterable[WaitReason] = (),
    ) -> None:
        change = after(self.promises, kinds, at=at, terms=self.terms, waits=waits, ended_waits=ended_waits)
        self._took(change)

    def _took(self, change: Change) -> None:
        self.promises = change.promises
        self.entries.extend(change.entries)

    def take(self, act: Sequence[Line]) -> None:
        """One act: what time had done before, what was done, who was told, to whom it was handed up."""
        at = act[0].at
        if act[0].kind == EventKind.TICKET_OPENED:
            self._open(act[0].data)
        self.policy = self.read(int(act[0].data.get("revision") or self.revision))
        fired = [line for line in act if line.kind in FIRED]
        handed = [line for line in act if line.data.get("because") == HANDED_UP]
        main = [line for line in act if line.kind not in FIRED and line not in handed]
        passed = [
            datetime.fromisoformat(line.data["fires_at"])
            for line in fired
            if line.kind == EventKind.STEP_FIRED
        ]
        self._merged(act[0])
        for line in main:
            if line.kind == EventKind.WAIT_ENDED and line.data.get("because") == BY_LIMIT:
                # It was over at its bound, however late that was noted.
                ended = [WaitReason(line.data["reason"])]
                over = datetime.fromisoformat(line.data.get("ended_at") or at.isoformat())
                self.pass_time(to=over)
                self.happen([Occurrence.WAIT_ENDED], at=over, ended_waits=ended)
        # A note beside another act is what was said about it; time has its say before a note alone.
        if any(line.kind in AFTER_TIME for line in main) or all(
            line.kind == EventKind.NOTE_ADDED for line in act
        ):
            self.pass_time(to=at)
        elif passed:
            self.pass_time(to=max(passed))
        self._happened(main, at=at)
        if any(line.data.get("task") for line in fired) and not self.promises.has_ended:
            self.happen([Occurrence.ESCALATED], at=at)
        self._happened(handed, at=at)

    def _merged(self, line: Line) -> None:
        """A merge is remembered by how the ticket stood; undone, the ticket stands so again before time passes."""
        if line.kind == EventKind.TICKET_MERGED:
            self.before = before_merge(self.promises)
        elif line.kind == EventKind.TICKET_UNMERGED and self.before is not None:
            self._took(restored(self.promises, self.before, at=line.at))

    def _open(self, data: Mapping[str, Any]) -> None:
        self.is_begun = True
        self.revision = int(data["revision"])
        self.priority, self.level, self.tier = int(data["priority"]), int(data["level"]), str(data["tier"])
        if data.get("rule_target_minutes") is not None:
            self.rule_target = RuleTarget(
                minutes=int(data["rule_target_minutes"]),
                rule="routing",
                loosens=bool(data["rule_target_loosens"]),
            )

    def _happened(self, lines: Sequence[Line], *, at: datetime) -> None:
        """Let happen together what one save said."""
        kinds: set[Occurrence] = set()
        waits: list[WaitReason] = []
        ended: list[WaitReason] = []
        for line in lines:
            kinds |= _occurrences(line)
            self._stand(line)
            if line.kind == EventKind.WAIT_STARTED:
                waits.append(WaitReason(line.data["reason"]))
            elif line.kind == EventKind.WAIT_ENDED and Occurrence.WAIT_ENDED in _occurrences(line):
                ended.append(WaitReason(line.data["reason"]))
        starts = [starts_of(line.data["starts"]) for line in lines if line.kind in MOVES]
        if kinds:
            self.happen(kinds, at=at, waits=waits, ended_waits=ended)
        for start in starts:
            self._took(moved(self.promises, start, at=at))
        if starts or Occurrence.TERMS_CHANGED in kinds:
            self.pass_time(to=at)  # what the new terms and starts make due at once
        for line in lines:
            if line.kind == EventKind.MERGE_RETURNED and (again := line.data.get("wait")):
                over, since = (datetime.fromisoformat(again[name]) for name in ("over", "since"))
                wait = Wait(reason=WaitReason(again["reason"]), since=since)
                self._took(waiting_again(self.promises, wait, over=over, terms=self.terms, at=at))

    def _stand(self, line: Line) -> None:
        """Note what the line changes in the terms the ticket stands under."""
        match line.kind:
            case EventKind.PRIORITY_CHANGED:
                self.priority = int(line.data["after"])
            case EventKind.TERMS_CHANGED:
                self.tier = str(line.data["after"])
            case EventKind.LEVEL_CHANGED:
                self.level = int(line.data["after"])


def _occurrences(line: Line) -> set[Occurrence]:
    """What a line meant to the promises."""
    data = line.data
    match line.kind:
        case EventKind.TICKET_OPENED:
            first = Occurrence.PHONE_LOGGED if data.get("phone") else Occurrence.CREATED
            # An imported ticket may be in the hands of somebody of the old desk, who is nobody here.
            is_owned = data.get("assignee") or data.get("held_outside")
            owned = Occurrence.ASSIGNED if is_owned else Occurrence.UNASSIGNED
            return {Occurrence.LEVEL_ENTERED, owned, first}
        case EventKind.CUSTOMER_WROTE:
            return {Occurrence.CUSTOMER_THANKED if data.get("thanks") else Occurrence.CUSTOMER_WROTE}
        case EventKind.MERGE_TAKEN:
            return {Occurrence.CUSTOMER_WROTE} if data.get("unanswered") else set()
        case EventKind.WAIT_ENDED:
            # A wait that time ended has been let happen before the rest of its act.
            return {Occurrence.WAIT_ENDED} if data.get("because") == BY_HAND else set()
    plain = PLAIN.get(EventKind(line.kind))
    return {plain} if plain else set()
