"""What the desk has learned from its own tickets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.pagination import OnlyPages, Page, cursor_at, place_after
from flowdesk.api.reading import Body
from flowdesk.api.shapes import Out
from flowdesk.core.actor import Act
from flowdesk.core.tenant import reading
from flowdesk.flows import learn
from flowdesk.triage.learned import ModelState, Target, name_of
from flowdesk.triage.models import LearnedModel

router = Router(tags=["learning"])


class ComparisonOut(Out):
    """The new one against what was in use, on tickets later than its training."""

    against: str
    verdict: str
    reason: str
    only_new_right: int
    only_old_right: int


class LabelOut(Out):
    """How one answer fares: of the times it is given, and of the tickets that are it."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    tickets: int


class ModelOut(Out):
    """One training. `accuracy` counts an abstention as wrong; `coverage` is the share that is answered."""

    id: str
    target: Target
    version: int
    state: ModelState
    progress: str
    fault: str
    begun_at: datetime
    ended_at: datetime | None
    tickets: int | None
    accuracy: float | None
    macro_f1: float | None
    coverage: float | None
    labels: list[LabelOut]
    comparison: ComparisonOut | None


class Train(Body):
    """What to learn from the settled tickets."""

    target: Annotated[Target, Field(description="category, team or priority")]


@router.get(
    "/learning/models", response=Page[ModelOut], auth=needs(Act.CONFIGURE), operation_id="list_models",
    summary="What was learned",
)  # fmt: skip
def list_models(request: HttpRequest, filters: Query[OnlyPages]) -> Page[ModelOut]:
    """Every training, the newest first."""
    asking, name = client(request), f"{client(request).tenant}.models"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = LearnedModel.objects.defer("data").order_by("-id")
        if after is not None:
            rows = rows.filter(id__lt=after[0])
        found = list(rows[: filters.limit + 1])
    page = found[: filters.limit]
    return Page[ModelOut](
        items=[_out(row) for row in page],
        next=cursor_at([page[-1].id], of=name) if len(found) > len(page) else None,
    )


@router.post(
    "/learning/models", response={201: ModelOut}, auth=needs(Act.CONFIGURE), operation_id="train_model",
    summary="Learn from settled tickets",
)  # fmt: skip
def train_model(request: HttpRequest, body: Train) -> ModelOut:
    """The worker trains; what is better than what is in use is asked from then on. One of a kind at a time."""
    asking = client(request)
    return _out(learn.begin_training(body.target, by=asking.actor, now=asking.now))


@router.post(
    "/learning/models/{model_id}/promote", response=ModelOut, auth=needs(Act.CONFIGURE), operation_id="promote_model",
    summary="Ask this model",
)  # fmt: skip
def promote_model(request: HttpRequest, model_id: str) -> ModelOut:
    """Whatever the comparison said; also the way back to one of before."""
    asking = client(request)
    return _out(learn.promote(model_id, by=asking.actor, now=asking.now))


@router.post(
    "/learning/models/{model_id}/put-aside", response=ModelOut, auth=needs(Act.CONFIGURE),
    operation_id="put_model_aside", summary="Ask this model no more",
)  # fmt: skip
def put_model_aside(request: HttpRequest, model_id: str) -> ModelOut:
    """The rules decide again."""
    asking = client(request)
    return _out(learn.put_aside(model_id, by=asking.actor, now=asking.now))


def _out(row: LearnedModel) -> ModelOut:
    figures, compared = row.figures, row.comparison
    return ModelOut(
        id=name_of(row.public_id), target=Target(row.target), version=row.version, state=ModelState(row.state),
        progress=row.progress, fault=row.fault, begun_at=row.begun_at, ended_at=row.ended_at,
        tickets=figures.get("rows"), accuracy=figures.get("accuracy"), macro_f1=figures.get("macro_f1"),
        coverage=figures.get("coverage"),
        labels=[
            LabelOut(
                label=one["label"], precision=one["precision"], recall=one["recall"], f1=one["f1"],
                tickets=one["support"],
            )
            for one in figures.get("labels", ())
        ],
        comparison=ComparisonOut(
            against=compared["against"], verdict=compared["verdict"], reason=compared["reason"],
            only_new_right=compared["only_new_right"], only_old_right=compared["only_old_right"],
        )
        if compared
        else None,
    )  # fmt: skip
