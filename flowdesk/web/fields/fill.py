"""Fills the page of a tenant's own fields; called inside a reading scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flowdesk.engine.condition_syntax import names_in
from flowdesk.engine.facts import CustomField, FieldType, vocabulary
from flowdesk.policies.models import Draft
from flowdesk.policies.reader import PolicyFaults, read_document
from flowdesk.policies.sections.fields import LONGEST_LABEL
from flowdesk.policies.sections.routing import read_routing
from flowdesk.policies.services import Policy, current_policy
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
) -> FieldsPage:
    """`chosen` is the field that is being changed; `given` and `errors` are of a form that comes back."""
    policy = current_policy()
    form = _form(chosen, policy.fields.get(chosen), policy)
    return FieldsPage(
        fields=tuple(_line(key, known, policy) for key, known in policy.fields.items()),
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


def _line(key: str, known: CustomField, policy: Policy) -> FieldLine:
    rules = rules_looking_at(key, policy)
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


def rules_looking_at(key: str, policy: Policy) -> list[str]:
    """The routing rules, and the rules of escalation, whose conditions name a field."""
    named = [
        *((rule.name, rule.condition) for rule in policy.routing.rules),
        *((rule.name, rule.condition) for rule in policy.escalation.events),
        *((rule.name, rule.condition) for rule in policy.escalation.states),
    ]
    found = [name for name, condition in named if f"fields.{key}" in names_in(condition.ast)]
    return [
        *found,
        *(_("{rule} (draft)").format(rule=name) for name in _drafted(key, policy) if name not in found),
    ]


def _drafted(key: str, policy: Policy) -> list[str]:
    """The rules of the draft that would ask for it; a draft that cannot be read asks for nothing."""
    draft = Draft.objects.filter(section="routing").first()
    try:
        rules = (
            read_routing(read_document(draft.source, "routing"), fields=vocabulary(policy.fields)).rules
            if draft
            else ()
        )
    except PolicyFaults:
        return []
    return [rule.name for rule in rules if f"fields.{key}" in names_in(rule.condition.ast)]


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
            choices=tuple(Choice(value=one, words=str(words), is_chosen=one == kind) for one, words in TYPES.items()),
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


def _seen(policy: Policy) -> tuple[tuple[str, str], ...]:
    """The revision that somebody looks at: what they do is meant for that one."""
    return (("seen", str(policy.number)),)
