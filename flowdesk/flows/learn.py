"""A desk learns from its own settled tickets: a model is trained, held against what is in use, and asked if better.

The latest fifth of the tickets is kept from the training; on these both are judged. Without a model in use the new one
is held against the rules themselves: the keywords' category, the matrix's priority, the team the rules would name.
What reads and trains models loads numpy and more, so it is imported by the job that needs it: no other process pays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Max

from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.core.actor import Act, Actor, ActorKind
from flowdesk.core.errors import DomainError, Fault, Invalid, NotFound
from flowdesk.core.ids import new_id, parsed
from flowdesk.core.jobs import enqueue
from flowdesk.core.tenant import act, current_tenant, one_at_a_time, reading
from flowdesk.engine.facts import TicketFacts
from flowdesk.engine.routing import route
from flowdesk.policies.services import Policy, current_policy
from flowdesk.triage import services as triage
from flowdesk.triage import sql
from flowdesk.triage.learned import LONGEST, PREFIX, ModelState, Target, as_read, is_silent, model_of, name_of
from flowdesk.triage.models import LearnedModel

if TYPE_CHECKING:
    from flowdesk.learning.comparison import Comparison
    from flowdesk.learning.examples import Example
    from flowdesk.learning.model import Model
    from flowdesk.learning.quality import Judged

log = logging.getLogger("flowdesk.worker")
MODELS = "models"  # what changes which is asked waits for others that do
JOB = "train_model"  # by this name the worker knows it
FEWEST, MOST = 100, 20_000  # settled tickets
HELD_OUT = 5  # one in so many, the latest
LONGEST_TRAINING = timedelta(hours=1)  # after so long its job has died for good
LABELS = {
    Target.CATEGORY: "ticket.category",
    Target.TEAM: "coalesce(team.slug, '')",
    Target.PRIORITY: "'P' || ticket.priority",
}


class AlreadyTraining(DomainError):
    """A model of this kind is being trained already."""

    code = "already_training"


class NotTrained(DomainError):
    """This training left no model that could be asked."""

    code = "not_trained"


@act
def begin_training(target: str, *, by: Actor, now: datetime) -> LearnedModel:
    """Have the worker train a model. Raises Invalid for what cannot be learned, AlreadyTraining."""
    by.must(Act.CONFIGURE)
    if target not in set(Target):
        raise Invalid(Fault("target", f"is not one of {', '.join(Target)}"))
    one_at_a_time(MODELS)
    training = LearnedModel.objects.filter(target=target, state=ModelState.TRAINING).first()
    if training is not None:
        if training.begun_at > now - LONGEST_TRAINING:
            raise AlreadyTraining
        training.state, training.fault, training.ended_at = ModelState.FAILED, "It broke off.", now
        training.save(update_fields=["state", "fault", "ended_at"])
    last = LearnedModel.objects.filter(target=target).aggregate(last=Max("version"))["last"] or 0
    row = LearnedModel.objects.create(
        tenant_id=by.tenant,
        public_id=new_id(now),
        target=target,
        version=last + 1,
        state=ModelState.TRAINING,
        begun_at=now,
        begun_by=by.id if by.kind is ActorKind.USER else None,
    )
    record_act(
        AuditAct.TRAINING_BEGUN, thing="model", thing_id=row.id, by=by, at=now, after={"target": target}
    )
    enqueue(JOB, tenant=by.tenant, model=name_of(row.public_id))
    return row


@act
def promote(model_id: str, *, by: Actor, now: datetime) -> LearnedModel:
    """Ask this model from now on, whatever the comparison said: also the way back to one of before.

    Raises NotFound, NotTrained.
    """
    by.must(Act.CONFIGURE)
    one_at_a_time(MODELS)
    row = _lock(model_id)
    if row.state == ModelState.TRAINING or not row.data:
        raise NotTrained
    _use(row)
    record_act(
        AuditAct.MODEL_PROMOTED, thing="model", thing_id=row.id, by=by, at=now,
        after={"target": row.target, "version": row.version},
    )  # fmt: skip
    return row


@act
def put_aside(model_id: str, *, by: Actor, now: datetime) -> LearnedModel:
    """Ask this model no more: the rules decide again. Raises NotFound."""
    by.must(Act.CONFIGURE)
    one_at_a_time(MODELS)
    row = _lock(model_id)
    if row.state == ModelState.IN_USE:
        row.state = ModelState.KEPT
        row.save(update_fields=["state"])
        record_act(
            AuditAct.MODEL_PUT_ASIDE, thing="model", thing_id=row.id, by=by, at=now,
            after={"target": row.target, "version": row.version},
        )  # fmt: skip
    return row


def can_train() -> bool:
    """Whether what trains is installed here."""
    try:
        from flowdesk.learning import training
    except ImportError:  # numpy is missing as well
        return False
    try:
        training.must_have_trainer()
    except training.NoTrainer:
        return False
    return True


def train(model_id: str, *, by: Actor, clock: Callable[[], datetime]) -> None:
    """The work of a training: one act for each step that is told, and one that ends it. Safe to begin anew."""
    with reading(by.tenant):
        row = LearnedModel.objects.filter(public_id=parsed(PREFIX, model_id)).first()
        if row is None or row.state != ModelState.TRAINING:
            return
        policy, examples = current_policy(), _examples(Target(row.target))
    if len(examples) < FEWEST:
        fault = f"Only {len(examples)} settled tickets say what is wanted; {FEWEST} are the least."
        _end(model_id, fault=fault, by=by, now=clock())
        return
    from flowdesk.learning.training import CannotLearn, NoTrainer, train_model

    held_out = max(1, len(examples) // HELD_OUT)
    before, later = examples[:-held_out], examples[-held_out:]
    try:
        model = train_model(
            before,
            facts={"target": row.target, "version": row.version, "tickets": len(before)},
            tell=lambda said: _tell(model_id, said, by=by, now=clock()),
        )
    except (CannotLearn, NoTrainer) as fault:
        _end(model_id, fault=str(fault), by=by, now=clock())
        return
    _finish(model_id, model, later, policy, by=by, clock=clock)


def _examples(target: Target) -> list[Example]:
    from flowdesk.learning.examples import Example

    statement = sql.EXAMPLES.format(label=LABELS[target])
    with connection.cursor() as cursor:
        cursor.execute(statement, [LONGEST, current_tenant(), MOST])
        return [Example(as_read(subject, text), label) for subject, text, label, _ in cursor.fetchall()]


def _finish(
    model_id: str,
    model: Model,
    later: Sequence[Example],
    policy: Policy,
    *,
    by: Actor,
    clock: Callable[[], datetime],
) -> None:
    """Judge it on the tickets it has not seen, beside what is in use on the same ones."""
    from flowdesk.learning.comparison import compare
    from flowdesk.learning.quality import quality_of
    from flowdesk.learning.storage import NotAModel, model_to_bytes

    _tell(model_id, "comparing with what is in use", by=by, now=clock())
    judged = _judged(model, later)
    with reading(by.tenant):
        row = LearnedModel.objects.get(public_id=parsed(PREFIX, model_id))
        in_use = LearnedModel.objects.filter(target=row.target, state=ModelState.IN_USE).first()
        try:
            others = _judged(model_of(in_use.id), later) if in_use else None
        except NotAModel:  # of another version, so the rules decide now
            in_use, others = None, None
        others = others or _by_rules(Target(row.target), later, policy)
    figures = asdict(quality_of(judged))
    comparison = compare(judged, old=others)
    against = f"version {in_use.version}" if in_use else "the rules"
    _end(
        model_id, by=by, now=clock(), data=model_to_bytes(model), figures=figures,
        comparison={**asdict(comparison), "against": against}, verdict=comparison,
    )  # fmt: skip


def _judged(model: Model, later: Sequence[Example]) -> list[Judged]:
    """Its answers, as triage would go by them."""
    from flowdesk.learning.quality import Judged

    answers = [(one.label, model.answer(one.text)) for one in later]
    return [Judged(truth, said.label, said.confidence, is_silent(said)) for truth, said in answers]


def _by_rules(target: Target, later: Sequence[Example], policy: Policy) -> list[Judged]:
    """What the rules alone would have said of the words; where they say nothing, they abstain."""
    from flowdesk.learning.quality import Judged

    found = []
    for one in later:
        subject, _, text = one.text.partition("\n")
        classified = triage.classify_ticket(TicketFacts(subject=subject, text=text), policy)
        said = {
            Target.CATEGORY: classified.facts.category,
            Target.PRIORITY: classified.facts.priority.name,
            Target.TEAM: route(classified.facts, policy.routing).team,
        }[target]
        found.append(Judged(one.label, said or "", 1.0 if said else 0.0, said is None))
    return found


@act
def _tell(model_id: str, said: str, *, by: Actor, now: datetime) -> None:
    LearnedModel.objects.filter(public_id=parsed(PREFIX, model_id), state=ModelState.TRAINING).update(
        progress=said[:200]
    )


@act
def _end(
    model_id: str,
    *,
    by: Actor,
    now: datetime,
    fault: str = "",
    data: bytes | None = None,
    figures: dict[str, Any] | None = None,
    comparison: dict[str, Any] | None = None,
    verdict: Comparison | None = None,
) -> None:
    one_at_a_time(MODELS)
    row = _lock(model_id)
    if row.state != ModelState.TRAINING:
        return
    row.fault, row.data, row.ended_at, row.progress = fault[:500], data, now, ""
    row.figures, row.comparison = figures or {}, comparison or {}
    row.state = ModelState.FAILED if data is None else ModelState.KEPT
    row.save()
    if verdict is not None and verdict.verdict == "better":
        _use(row)
        record_act(
            AuditAct.MODEL_PROMOTED, thing="model", thing_id=row.id, by=by, at=now,
            after={"target": row.target, "version": row.version},
        )  # fmt: skip


def _lock(model_id: str) -> LearnedModel:
    row = LearnedModel.objects.select_for_update().filter(public_id=parsed(PREFIX, model_id)).first()
    if row is None:
        raise NotFound
    return row


def _use(row: LearnedModel) -> None:
    LearnedModel.objects.filter(target=row.target, state=ModelState.IN_USE).exclude(id=row.id).update(
        state=ModelState.KEPT
    )
    row.state = ModelState.IN_USE
    row.save(update_fields=["state"])
