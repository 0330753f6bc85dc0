"""Fills the page of a tenant's own fields; called inside a reading scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from flowdesk.engine.condition_syntax import names_in
from flowdesk.engine.facts import CustomField, FieldType, vocabulary
from flowdesk.engine.routing import RoutingRule
from flowdesk.policies.models import Draft
from flowdesk.policies.reader import PolicyFaults, read_document
from flowdesk.policies.sections.fields import LONGEST_LABEL
from flowdesk.policies.sections.routing import read_routing
from flowdesk.policies.services import Policy, current_policy
from flowdesk.tickets.queries import HeldWord
from flowdesk.web import words
from flowdesk.web.fields.page import FieldLine, FieldsPage
from flowdesk.web.parts import Choice, Empty, Field, Form, Kind
from flowdesk.web.ticket.own_fields import choice_words, label_of
from flowdesk.web.vocabulary import Words, say

TYPES: Words = {
    FieldType.TEXT: gettext_lazy("Text"),
    FieldType.NUMBER: gettext_lazy("Number"),
    FieldType.TRUTH: gettext_lazy("Yes or no"),
    FieldType.SLUG: gettext_lazy("One of a list"),
}


def fields_page(
    *,
    chosen: str = "",
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
    held: Sequence[HeldWord] = (),
) -> FieldsPage:
    """`chosen` is the field that is being changed; `given` and `errors` are of a form that comes back, `held` are the
    words that tickets hold and that its list would not."""
    policy = current_policy()
    form, rules = _form(chosen, policy.fields.get(chosen), policy), _rules(policy)
    if held:
        form, errors = _asking_first(form, held), {"is_sure": [_held_words(held)]}
    return FieldsPage(
        fields=tuple(_line(key, known, policy, rules) for key, known in policy.fields.items()),
        form=form.answered(given, errors or {}) if given is not None else form,
        cancel_href=reverse("own-fields") if chosen in policy.fields else "",
        empty=None
        if policy.fields
        else Empty(
            title=_("No fields of your own yet"),
            words=_(
                "Add one for what your desk needs to know of a ticket: an order number, a contract, a sum."
            ),
        ),
    )


def _line(
    key: str, known: CustomField, policy: Policy, asking: Sequence[tuple[str, frozenset[str]]]
) -> FieldLine:
    rules = [name for name, fields in asking if f"fields.{key}" in fields]
    remove = Form(
        id=f"remove-{key}",
        href=reverse("own-fields"),
        submit=_("Remove"),
        hidden=(("deed", "remove"), ("field", key), *_seen(policy)),
    )
    return FieldLine(
        key=key,
        label=label_of(key, known),
        kind=say(TYPES, known.type),
        choices=", ".join(choice_words(choice) for choice in known.choices),
        rules=", ".join(rules),
        change_href=f"{reverse('own-fields')}?field={key}#field-form",
        remove=None if rules else remove,
    )


def _rules(policy: Policy) -> list[tuple[str, frozenset[str]]]:
    """Each rule of routing and of escalation with the fields that it names; of the draft, those that are new."""
    named = [
        *((rule.name, names_in(rule.condition.ast)) for rule in policy.routing.rules),
        *((rule.name, names_in(rule.condition.ast)) for rule in policy.escalation.events),
        *((rule.name, names_in(rule.condition.ast)) for rule in policy.escalation.states),
    ]
    drafted = [
        (_("{rule} (draft)").format(rule=rule.name), fields)
        for rule in _drafted(policy)
        if (rule.name, fields := names_in(rule.condition.ast)) not in named
    ]
    return [*named, *drafted]


def _drafted(policy: Policy) -> Sequence[RoutingRule]:
    """The rules of the draft; one that cannot be read has none."""
    draft = Draft.objects.filter(section="routing").first()
    if draft is None:
        return ()
    try:
        return read_routing(read_document(draft.source, "routing"), fields=vocabulary(policy.fields)).rules
    except PolicyFaults:
        return ()


def _form(key: str, known: CustomField | None, policy: Policy) -> Form:
    is_new = known is None
    kind = known.type if known else FieldType.TEXT
    name = Field(
        name="key",
        label=_("Name in rules"),
        is_required=True,
        hint=_("A word such as order_number. Rules say fields.order_number."),
        max_length=40,
    )
    questions = (
        Field(
            name="label", label=_("Label"), value=known.label if known else "", max_length=LONGEST_LABEL,
            hint=_("As people read it."),
        ),
        Field(
            name="type", label=_("What it holds"), kind=Kind.SELECT,
            choices=tuple(Choice(value=one, words=str(name), is_chosen=one == kind) for one, name in TYPES.items()),
        ),
        Field(
            name="choices", label=_("The list"), kind=Kind.LONG, value="\n".join(known.choices if known else ()),
            hint=_("For one of a list: a word on each line. An empty list takes any word."),
        ),
    )  # fmt: skip
    return Form(
        id="field-form",
        href=reverse("own-fields"),
        title=_("Add a field") if is_new else _("Change {field}").format(field=label_of(key, known)),
        submit=_("Add the field") if is_new else _("Save the field"),
        hint="" if is_new else _("What stands on tickets stays; of another type, rules no longer see it."),
        fields=(name, *questions) if is_new else questions,
        hidden=(
            ("deed", "add" if is_new else "change"),
            *(() if is_new else (("field", key),)),
            *_seen(policy),
        ),
    )


def _asking_first(form: Form, held: Sequence[HeldWord]) -> Form:
    """The form with one more question: whether these words shall go though tickets hold them."""
    sure = Field(name="is_sure", label=_("Take it out of the list all the same"), kind=Kind.CHECK)
    told = " ".join(one.word for one in held)
    return replace(form, fields=(*form.fields, sure), hidden=(*form.hidden, ("told", told)))


def _held_words(held: Sequence[HeldWord]) -> str:
    return " ".join([*(_held(one) for one in held), _("They keep it, and rules can no longer ask for it.")])


def _held(one: HeldWord) -> str:
    if one.is_of_the_latest:
        said = ngettext(
            "Of the latest {looked_at} tickets {n} holds “{word}”.",
            "Of the latest {looked_at} tickets {n} hold “{word}”.",
            one.tickets,
        )
    else:
        said = ngettext("{n} ticket holds “{word}”.", "{n} tickets hold “{word}”.", one.tickets)
    return said.format(
        n=words.number(one.tickets), looked_at=words.number(one.looked_at), word=choice_words(one.word)
    )


def _seen(policy: Policy) -> tuple[tuple[str, str], ...]:
    """The revision that somebody looks at: what they do is meant for that one."""
    return (("seen", str(policy.number)),)
