"""The tenant's own fields on a ticket: what stands in them, asked for, and read from a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from flowdesk.engine.facts import LONGEST, CustomField, FieldType
from flowdesk.intake.fields import from_text
from flowdesk.web import words
from flowdesk.web.parts import Choice, Field, Kind
from flowdesk.web.ticket.page import Fact

PREFIX = "fields."  # of a question's name: as faults name fields
Own = Mapping[str, CustomField]


def own_facts(own: Own, values: Mapping[str, Any]) -> tuple[Fact, ...]:
    """What is filled in, in the policy's order; a field that the tenant has given up stands last, by its key."""
    known = [key for key in own if key in values]
    return tuple(
        Fact(label=label_of(key, own.get(key)), words=_words(values[key]))
        for key in [*known, *sorted(values.keys() - own.keys())]
    )


def questions(own: Own, values: Mapping[str, Any]) -> tuple[Field, ...]:
    """One question for each field."""
    return tuple(_question(key, known, values.get(key)) for key, known in own.items())


def answers(own: Own, form: Mapping[str, str]) -> dict[str, Any]:
    """What was answered, by key; None where a question was left empty. What a form does not ask is left out."""
    given = {key: form[PREFIX + key] for key in own if PREFIX + key in form}
    return {key: from_text(said, own[key]) if said.strip() else None for key, said in given.items()}


def label_of(key: str, known: CustomField | None) -> str:
    return known.label if known and known.label else key.replace("_", " ").capitalize()


def choice_words(choice: str) -> str:
    return choice.replace("_", " ").capitalize()


def _question(key: str, known: CustomField, value: Any) -> Field:
    name, label = PREFIX + key, label_of(key, known)
    said = "" if value is None else _plain(value)
    if known.type is FieldType.TRUTH or known.choices:
        options = [(one, choice_words(one)) for one in known.choices] or [
            ("true", _("Yes")),
            ("false", _("No")),
        ]
        if said and said not in dict(
            options
        ):  # chosen while the list held it: it stays until somebody changes it
            options.append((said, said))
        choices = tuple(
            Choice(value=option, words=label, is_chosen=option == said)
            for option, label in [("", ""), *options]
        )
        return Field(name=name, label=label, kind=Kind.SELECT, choices=choices)
    return Field(name=name, label=label, kind=Kind.TEXT, value=said, max_length=LONGEST)


def _plain(value: Any) -> str:
    """A value as a form sends it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, int | float):
        return words.number(value)
    return str(value)
