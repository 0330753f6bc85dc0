"""What is wrong with a policy, said to a person in their language.

Readers of the policy and of conditions speak one language, to the command line, programs and pages alike; here their
sentences are known again. One that nobody has translated says itself, and a test finds it.
"""

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from flowdesk.core.errors import Fault
from flowdesk.web.sentences import Sentences

# As a reader says it, `{…}` standing for what was written; `{reason}` is such a sentence itself.
SENTENCES: Mapping[str, str | Promise] = {
    # any value of a document
    "has no value; write one or leave the key out": _("Has no value. Write one, or leave the key out."),
    "unknown key {key}": _("There is no key {key} here."),
    "needs the key {key} or the key {other}": _("The key {key} or the key {other} is missing."),
    "needs the key {key}": _("The key {key} is missing."),
    "the key {key} is written twice": _("The key {key} is written twice."),
    "a key must be a single word": _("A key must be a single word."),
    "is empty": _("This is empty."),
    "the document is empty": _("This is empty."),
    "is {count} characters long; {most} is the most": _(
        "Is {count} characters long; at most {most} are allowed."
    ),
    "is {count} bytes; {most} is the most": _("Is {count} bytes long; at most {most} are allowed."),
    "is {number}; {limit} is the least": _("Is {number}; at least {limit} is needed."),
    "is {number}; {limit} is the most": _("Is {number}; at most {limit} is allowed."),
    "is longer than a year": _("Is longer than a year."),
    "expects one of {words}, not {text}": _("Must be one of {words}, not {text}."),
    "expects {wanted}, not {text}": _("Must be {wanted}, not {text}."),
    "holds a character that is not Unicode text": _("Holds a character that is no text."),
    "anchors and aliases are not used here; write the value out": _(
        "Anchors and aliases are not used here. Write the value out."
    ),
    "tags are not used here ({tag})": _("Tags such as {tag} are not used here."),
    "holds more than {most} values": _("Holds more than {most} values."),
    "a second document begins here; there must be one": _(
        "A second document begins here; there must be one."
    ),
    "holds a character that YAML does not allow": _("Holds a character that YAML does not allow."),
    # rules
    "can never match: {rule} above takes all of these": _(
        "Never gets a ticket: {rule} above takes all of them."
    ),
    "can never match: {reason}": _("Can never hold: {reason}"),
    "it is always false": _("it is always false."),
    "{conditions} cannot hold together": _("{conditions} cannot hold together."),
    "unknown action {action}": _("There is no action {action}."),
    "needs the team {team}, which does not exist": _("Needs the team {team}, which does not exist."),
    "there is no team {team}": _("There is no team {team}."),
    "there is no post {post}": _("There is no post {post}."),
    "another rule is already called {name}": _("Another rule is called {name} already."),
    "loosens nothing: the rule has no sla_target": _("Loosens nothing: the rule has no sla_target."),
    "says with {word} twice what happens; keep one of them": _(
        "Says with {word} twice what happens. Keep one of them."
    ),
    "{word} is no priority; say P1, P2, P3 or P4": _("{word} is no priority. Say P1, P2, P3 or P4."),
    "puts the lower priority first; write {right}": _("The higher priority comes first: write {right}."),
    "stands on a line with others; give each rule a line with a dash to change it here": _(
        "Stands on a line with others. Give each rule a line with a dash of its own to change it here."
    ),
    "nobody in the team {team} has the skill {skills}: anybody there is given these tickets": _(
        "Nobody in the team {team} has the skill {skills}: anybody there is given these tickets."
    ),
    "nobody has the skill {skill}: only the others are looked for": _(
        "Nobody has the skill {skill}: only the others are looked for."
    ),
    # conditions
    "unknown field {field}": _("There is no field {field}."),
    "{field} is never {value}": _("{field} is never {value}."),
    "{field} knows only {operators}, not {operator}": _(
        "{field} can be used with {operators}, not with {operator}."
    ),
    "{field} is compared with {wanted}, not {text}": _("{field} is compared with {wanted}, not with {text}."),
    "{text} is compared with nothing": _("{text} is compared with nothing."),
    "{text} is a value; a comparison needs a field": _("{text} is a value; a comparison needs a field."),
    "expected a field, a value, NOT or (, not {text}": _(
        "Here a field, a value, NOT or ( should stand, not {text}."
    ),
    "expected AND, OR or the end, not {text}": _("Here AND, OR or the end should stand, not {text}."),
    "expected a value, not the field {field}; put quotes around a text": _(
        "Here a value should stand, not the field {field}. Put quotes around a text."
    ),
    "expected a value in the list, not {text}": _("In the list a value should stand, not {text}."),
    "expected {wanted}, not {text}": _("Here {wanted} should stand, not {text}."),
    "is empty; write true for a rule that always matches": _(
        "Is empty. Write true for a rule that always holds."
    ),
    "is nested deeper than {most} levels": _("Is nested deeper than {most} levels."),
    "{operator} needs a field on its left, not a condition": _(
        "{operator} needs a field on its left, not a condition."
    ),
    "{operator} needs a value on its right, not a condition": _(
        "{operator} needs a value on its right, not a condition."
    ),
    "IN needs a list in parentheses, not {text}": _("IN needs a list in parentheses, not {text}."),
    "{bracket} is never closed": _("{bracket} is never closed."),
    "this number is longer than 24 characters": _("This number is longer than 24 characters."),
    "this text has no closing quote": _("This text has no closing quote."),
    "a single = compares nothing; write ==": _("A single = compares nothing. Write ==."),
    "there is no arithmetic here": _("There is no arithmetic here."),
    "this is neither a number nor a name": _("This is neither a number nor a name."),
    "{character} has no meaning here": _("{character} has no meaning here."),
    # the tenant's own fields
    "must be a word of at most 40 lower-case letters, digits and underscores, and begin with a letter": _(
        "This must be a word of at most 40 lower-case letters, digits and underscores, and begin with a letter."
    ),
    "must be one line of at most {count} characters": _(
        "This must be one line of at most {count} characters."
    ),
    "names a choice twice": _("The list names a word twice."),
    "holds {count} fields; {most} is the most": _("A desk has at most {most} fields of its own."),
    "holds {count} choices; {most} is the most": _("A list has at most {most} words."),
    "is only for a field of the type slug": _("Only one of a list has a list."),
}
# What a reader may say in the place of a value.
PHRASES: Mapping[str, str | Promise] = {
    "the end": _("the end"),
    "a single value": _("a single value"),
    "a list": _("a list"),
    "a mapping": _("a mapping"),
    "a number": _("a number"),
    "a whole number": _("a whole number"),
    "a number without quotes": _("a number without quotes"),
    "a text in quotes": _("a text in quotes"),
    "true or false": _("true or false"),
    "a date as 2026-12-24": _("a date as 2026-12-24"),
    "a time of day as 09:00": _("a time of day as 09:00"),
    "a length as 15_minutes or 4_hours": _("a length as 15_minutes or 4_hours"),
    "a priority as P1 or critical": _("a priority as P1 or critical"),
    "a priority as 'P1' or 'critical'": _("a priority as 'P1' or 'critical'"),
    "a priority or two as P2-P3": _("a priority or two as P2-P3"),
}
_SENTENCES = Sentences(SENTENCES)
_HINT = re.compile(
    r"(?P<reason>.+?); (?:did you mean (?P<word>'[^']*'|\"[^\"]*\")\?|it is one of (?P<words>.+))", re.DOTALL
)
_PLACE = re.compile(r"(?P<path>.+) \(line (?P<line>\d+), column (?P<column>\d+)\)", re.DOTALL)


def policy_reason(reason: str) -> str:
    """One reason of a reader, as a page says it."""
    if hinted := _HINT.fullmatch(reason):
        said = policy_reason(hinted["reason"])
        if hinted["word"]:
            return f"{said} {gettext('Did you mean {word}?').format(word=hinted['word'])}"
        return f"{said} {gettext('It is one of {words}.').format(words=hinted['words'])}"
    return _SENTENCES.said(reason, _value)


def placed_reason(fault: Fault) -> str:
    """A fault of a document with its line, as one sentence."""
    said, place = policy_reason(fault.reason), _PLACE.fullmatch(fault.field)
    if place is None:
        return f"{fault.field}: {said}"
    where = gettext("line {line}, column {column}").format(line=place["line"], column=place["column"])
    return f"{place['path']}, {where}: {said}"


def _value(name: str, text: str) -> str:
    return policy_reason(text) if name == "reason" else str(PHRASES.get(text, text))
