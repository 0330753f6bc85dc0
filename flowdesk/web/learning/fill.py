"""Fills the page of learned models; called inside a reading scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flowdesk.core.tenant import current_tenant
from flowdesk.triage import sql
from flowdesk.triage.learned import LONGEST, ModelState, Target, as_read, model_of, name_of
from flowdesk.triage.models import LearnedModel
from flowdesk.web import words
from flowdesk.web.access import AgentRequest
from flowdesk.web.learning.page import LabelLine, LearningPage, TargetCard, VersionLine
from flowdesk.web.parts import Form
from flowdesk.web.sentences import Sentences
from flowdesk.web.vocabulary import CATEGORIES, Words, say

SHOWN, LABELS_SHOWN = 6, 20
LOOKED_AT = 100  # the latest tickets, held against the time of the training
TITLES: Mapping[Target, tuple[str | Promise, str | Promise]] = {
    Target.CATEGORY: (
        gettext_lazy("Category"),
        gettext_lazy("Where the model is sure, its category stands above the keywords'."),
    ),
    Target.PRIORITY: (
        gettext_lazy("Priority"),
        gettext_lazy(
            "Where the model is sure, its priority stands in for the matrix; bounds and steps follow."
        ),
    ),
    Target.TEAM: (
        gettext_lazy("Team"),
        gettext_lazy("For tickets that no rule takes, where the model is sure."),
    ),
}
STATES: Words = {
    ModelState.TRAINING: gettext_lazy("training"),
    ModelState.IN_USE: gettext_lazy("in use"),
    ModelState.KEPT: gettext_lazy("kept"),
    ModelState.FAILED: gettext_lazy("failed"),
}
DRIFTS: Words = {
    "steady": gettext_lazy("Today's tickets look like those it learned from."),
    "drifting": gettext_lazy("Today's tickets look different from those it learned from: train anew."),
    "unreadable": gettext_lazy("This version cannot read it, so the rules decide: train anew."),
    "too few": gettext_lazy("Too few tickets to tell whether they have changed."),
}

NOTES = Sentences(
    {
        "It broke off.": gettext_lazy("It broke off."),
        "Only {n} settled tickets say what is wanted; {least} are the least.": gettext_lazy(
            "Only {n} settled tickets say what is wanted; {least} are needed."
        ),
        "there are rows of {n} labels; at least two are needed to tell apart": gettext_lazy(
            "All settled tickets are of one kind: there is nothing to tell apart."
        ),
        "there are {n} labels, more than {most}: is this the right column?": gettext_lazy(
            "There are {n} kinds, more than {most} that can be told apart."
        ),
        "the rows hold no words": gettext_lazy("The tickets hold no words."),
        "Training needs {what}, which is not installed: {how}. Answering does without.": gettext_lazy(
            "Training needs scikit-learn, which is not installed here: the operator adds the extra “ml”."
        ),
        "reading {n} rows": gettext_lazy("reads {n} tickets"),
        "learning {n} labels from {features} features": gettext_lazy("learns {n} kinds from {features} traits"),
        "trying it on rows it has not seen, part {part} of {parts}": gettext_lazy(
            "is tried on tickets it has not seen, part {part} of {parts}"
        ),
        "trained network {n} of {all}": gettext_lazy("has trained network {n} of {all}"),
        "comparing with what is in use": gettext_lazy("is compared with what is in use"),
    }
)  # fmt: skip


def learning_page(request: AgentRequest, *, now: datetime) -> LearningPage:
    """Every target with its versions, the newest first."""
    rows: dict[str, list[LearnedModel]] = {target: [] for target in Target}
    for row in LearnedModel.objects.defer("data").order_by("-version"):
        rows[row.target].append(row)
    latest = (
        _latest_words() if any(row.state == ModelState.IN_USE for of in rows.values() for row in of) else []
    )
    cards = tuple(_card(target, rows[target], latest, request, now=now) for target in Target)
    return LearningPage(
        cards=cards, href=reverse("learning"), is_training=any(card.is_training for card in cards)
    )


def _latest_words() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql.LATEST_WORDS, [LONGEST, current_tenant(), LOOKED_AT])
        return [as_read(subject, text) for subject, text in cursor.fetchall()]


def _card(
    target: Target,
    rows: Sequence[LearnedModel],
    latest: Sequence[str],
    request: AgentRequest,
    *,
    now: datetime,
) -> TargetCard:
    title, about = TITLES[target]
    in_use = next((row for row in rows if row.state == ModelState.IN_USE), None)
    is_training = any(row.state == ModelState.TRAINING for row in rows)
    drift = _drift(in_use, latest) if in_use else ""
    return TargetCard(
        target=target,
        title=str(title),
        about=str(about),
        standing=_("Version {version} is asked.").format(version=in_use.version)
        if in_use
        else _("No model is asked: the rules decide."),
        drift=say(DRIFTS, drift) if drift else "",
        is_drifting=drift in ("drifting", "unreadable"),
        train=None
        if is_training
        else Form(
            id=f"train-{target}", href=reverse("learning-deed"), submit=_("Train"),
            hidden=(("deed", "train"), ("target", target.value)),
        ),
        is_training=is_training,
        versions=tuple(_version(row, request, now=now) for row in rows[:SHOWN]),
        labels=_labels(target, in_use.figures) if in_use else (),
    )  # fmt: skip


def _drift(row: LearnedModel, latest: Sequence[str]) -> str:
    from flowdesk.learning.drift import (  # numpy, for this page alone
        Seen,
        drift_between,
        picture_in,
        picture_of,
    )
    from flowdesk.learning.storage import NotAModel

    try:
        model = model_of(row.id)
    except NotAModel:
        return "unreadable"
    answers = [model.answer(text) for text in latest]
    seen = [Seen(one.label, one.abstains, one.unknown_share) for one in answers]
    return str(drift_between(picture_in(model.figures), picture_of(seen)).verdict)


def _version(row: LearnedModel, request: AgentRequest, *, now: datetime) -> VersionLine:
    figures, comparison = row.figures, row.comparison
    return VersionLine(
        id=name_of(row.public_id),
        name=_("Version {version}").format(version=row.version),
        when=words.moment(row.begun_at, zone=request.zone, now=now),
        at=words.iso(row.begun_at, request.zone),
        state=row.state,
        state_words=say(STATES, row.state),
        accuracy=_percent(figures.get("accuracy")),
        coverage=_percent(figures.get("coverage")),
        tickets=str(figures.get("rows", "")),
        verdict=_verdict(comparison),
        note=NOTES.said(row.fault or row.progress),
        deed=_deed(row),
    )


def _percent(share: float | None) -> str:
    return "" if share is None else words.percent(100 * share)


def _verdict(comparison: Mapping[str, Any]) -> str:
    if not comparison:
        return ""
    ahead, behind = comparison["only_new_right"], comparison["only_old_right"]
    sentence = (
        _(
            "Better than {other}: right on {ahead} tickets where that was wrong, wrong on {behind} where it was right."
        )
        if comparison["verdict"] == "better"
        else _("Not better than {other}: right on {ahead} tickets where that was wrong, wrong on {behind}.")
    )
    against = str(comparison.get("against", ""))
    kind, _space, number = against.partition(" ")
    other = _("version {version}").format(version=number) if kind == "version" else _("the rules")
    return sentence.format(other=other, ahead=ahead, behind=behind)


def _deed(row: LearnedModel) -> Form | None:
    if row.state == ModelState.IN_USE:
        deed, submit = "aside", _("Put aside")
    elif row.state == ModelState.KEPT:
        is_better = not row.comparison or row.comparison["verdict"] == "better"
        deed, submit = "promote", _("Ask this one") if is_better else _("Ask it all the same")
    else:
        return None
    hidden = (("deed", deed), ("model", name_of(row.public_id)))
    return Form(id=f"{deed}-{row.id}", href=reverse("learning-deed"), submit=submit, hidden=hidden)


def _labels(target: Target, figures: Mapping[str, Any]) -> tuple[LabelLine, ...]:
    rows = sorted(figures.get("labels", ()), key=lambda one: -int(one["support"]))
    return tuple(
        LabelLine(
            words=say(CATEGORIES, one["label"]) if target is Target.CATEGORY else str(one["label"]),
            precision=_percent(one["precision"]),
            recall=_percent(one["recall"]),
            tickets=str(one["support"]),
        )
        for one in rows[:LABELS_SHOWN]
    )
