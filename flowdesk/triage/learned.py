"""Models that a tenant learned from its own tickets: kept in versions, asked at triage, and silent when not sure."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from flowdesk.core.ids import shown
from flowdesk.core.tenant import current_tenant
from flowdesk.engine.sentiment import own_words
from flowdesk.triage import sql
from flowdesk.triage.models import LearnedModel

if TYPE_CHECKING:
    from flowdesk.learning.model import Answer, Model

log = logging.getLogger("flowdesk.triage")
PREFIX = "mdl"
LONGEST = 20_000  # characters of a text that a model reads
MOSTLY_NEW = (
    0.5  # share of a text's words that the training never saw: from there on no answer is to be trusted
)
KEPT = 12  # models of all tenants that a process holds; each is a few megabytes


class Target(StrEnum):
    """What a model is about."""

    CATEGORY = "category"
    TEAM = "team"
    PRIORITY = "priority"


class ModelState(StrEnum):
    TRAINING = "training"
    IN_USE = "in_use"
    KEPT = "kept"  # trained, and not better than what was in use; or put aside for another
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a model says of a ticket; one that abstains is left to the rules."""

    target: Target
    version: int
    label: str
    confidence: float  # 0 to 1
    abstains: bool
    runners_up: tuple[tuple[str, float], ...]
    words: tuple[str, ...]  # those that spoke most for it

    @property
    def trace(self) -> dict[str, Any]:
        """What `explain` shows of it."""
        return {
            "version": self.version,
            "label": self.label,
            "confidence": round(self.confidence, 3),
            "abstains": self.abstains,
            "runners_up": [{"label": label, "confidence": round(sure, 3)} for label, sure in self.runners_up],
            "words": list(self.words),
        }


Learned = Mapping[Target, Heard]
NOTHING: Learned = {}


@dataclass(frozen=True, slots=True)
class Ear:
    """Models in use, looked up once for as many texts as there are to ask them about."""

    models: tuple[tuple[int, Target, int], ...]  # row id, target and version

    def listen(self, subject: str, *, text: str) -> Learned:
        """What they say of these words."""
        if not self.models:
            return NOTHING
        from flowdesk.learning.storage import (
            NotAModel,
        )  # numpy: loaded where a model is in use, and nowhere else

        read, said = as_read(subject, text), dict[Target, Heard]()
        for row, target, version in self.models:
            try:
                said[target] = heard(target, version, model_of(row).answer(read))
            except NotAModel:  # of another version: the rules decide until somebody trains it anew
                log.warning("model_unreadable", extra={"model": row})
        return said


def ear_for(*targets: Target) -> Ear:
    """For the open tenant's models in use that are about these."""
    with connection.cursor() as cursor:
        cursor.execute(sql.MODELS_IN_USE, [current_tenant()])
        rows = cursor.fetchall()
    return Ear(tuple((row, Target(target), version) for row, target, version in rows if target in targets))


def listen(subject: str, *, text: str) -> Learned:
    """What the open tenant's models in use say of these words."""
    return ear_for(*Target).listen(subject, text=text)


def as_read(subject: str, text: str) -> str:
    """A ticket's words as models read them: in training and ever after."""
    return f"{subject}\n{own_words(text[:LONGEST])}"


def heard(target: Target, version: int, answer: Answer) -> Heard:
    """A model's answer, as triage goes by it."""
    return Heard(
        target=target,
        version=version,
        label=answer.label,
        confidence=answer.confidence,
        abstains=is_silent(answer),
        runners_up=tuple((one.label, one.confidence) for one in answer.runners_up),
        words=tuple(one.words for one in answer.reasons),
    )


def is_silent(answer: Answer) -> bool:
    """Whether an answer is left to the rules: the model is not sure, or hardly knows a word of the text."""
    return answer.abstains or answer.unknown_share > MOSTLY_NEW


def model_of(row: int) -> Model:
    """A trained model of the open tenant by its row id; raises DoesNotExist."""
    return _model(current_tenant(), row)


@lru_cache(maxsize=KEPT)
def _model(tenant: int, row: int) -> Model:
    from flowdesk.learning.storage import (
        model_from_bytes,  # numpy: loaded by whoever asks a model, and nobody else
    )

    stored = LearnedModel.everywhere.values_list("data", flat=True).get(tenant_id=tenant, id=row)
    return model_from_bytes(bytes(stored or b""))


def name_of(public_id: UUID) -> str:
    """A model's id as it is shown."""
    return shown(PREFIX, public_id)
