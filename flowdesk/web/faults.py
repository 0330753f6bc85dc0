"""What a fault of the trade says to a person, in their language.

Flows speak one language, to pages and programs alike; here their sentences are known again, with the values in
them, and said as a page says things. A sentence without a translation says itself, and a test finds it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from flowdesk.core.errors import DomainError, Invalid
from flowdesk.web import words
from flowdesk.web.sentences import Sentences

# As a flow says it, `{…}` standing for a value: as a page says it.
SENTENCES: Mapping[str, str | Promise] = {
    # one field of a form
    "must not be empty": _("This must not be empty."),
    "is longer than {count} characters": _("This is longer than {count} characters."),
    "holds a null character": _("This holds a null character."),
    "holds a null character or more than {count} characters": _(
        "This holds a null character or more than {count} characters."
    ),
    "is not an e-mail address": _("This is not an email address."),
    "belongs to another contact": _("This belongs to another contact."),
    "belongs to another customer": _("This belongs to another customer."),
    "names nobody: give a contact, a customer or an address": _(
        "Choose somebody who was found, or give an email address."
    ),
    "names nobody: give a name, an address or a phone number": _(
        "Give a name, an email address or a phone number."
    ),
    "there is no contact by that id": _("This contact is gone. Look again."),
    "there is no customer by that id": _("This customer is gone. Look again."),
    "there is no agent by that id": _("This person does not work here any more. Choose somebody else."),
    "there is no team by that name": _("This team is gone. Choose another one."),
    "there is no {thing} by that id": _("This is gone. Choose again."),
    "you do not work tickets in this tenant": _("You do not work tickets on this desk."),
    "is not a wait of this tenant's policy": _("This desk does not wait for that reason."),
    "says whom you wait for; this reason needs it": _("Say whom we wait for, and their case number."),
    "lies in the past": _("This lies in the past."),
    "is later than this wait may last ({limit})": _("This is longer than such a wait may last."),
    "is not one of {names}": _("Choose one of the list."),
    "there is a field of this name already": _("There is a field of this name already."),
    "is not a time zone such as Europe/Stockholm": _("This is not a time zone such as Europe/Stockholm."),
    "is not a field of this tenant": _("This desk has no such field."),
    "{tier} is not a tier of this tenant": _("This desk has no tier {tier}."),
    "must be a number": _("This must be a number."),
    "must be from {least} to {most}": _("This must be from {least} to {most}."),
    "must be true or false": _("This must be yes or no."),
    "must be text of at most {count} characters": _("This must be text of at most {count} characters."),
    # an act as a whole
    "Something in the request cannot be done.": _("This cannot be done."),
    "There is nothing here by that id.": _("There is nothing here by that name."),
    "Your role does not allow this.": _("Your role does not allow this."),
    "Some of the input cannot be used.": _("Some of this cannot be used."),
    "The ticket's status does not allow this.": _("The ticket's status does not allow this any more."),
    "The ticket is {status}; reopen it first.": _("The ticket is settled. Reopen it first."),
    "The ticket was merged into another: work on that one, or undo the merge.": _(
        "The ticket was merged into another. Work on that one, or undo the merge."
    ),
    "The ticket is not merged into another.": _("The ticket is not merged any more."),
    "Others were at the same thing at this very moment; send it again.": _(
        "Others were at the same thing at this very moment. Send it again."
    ),
    "Somebody else has the ticket meanwhile.": _("Somebody else has the ticket meanwhile."),
    "{name} has the ticket by now. Take it again if you mean to.": _(
        "{name} has the ticket by now. Take it again if you mean to."
    ),
    "Somebody else has changed this meanwhile. Choose again if you mean to.": _(
        "Somebody else has changed this meanwhile. Choose again if you mean to."
    ),
    "Meanwhile {who} set P{priority} ({at}). Choose again if you mean to.": _(
        "Meanwhile {who} set P{priority} ({at}). Choose again if you mean to."
    ),
    "Meanwhile {who} gave the ticket to {holder} ({at}). Choose again if you mean to.": _(
        "Meanwhile {who} gave the ticket to {holder} ({at}). Choose again if you mean to."
    ),
    "Meanwhile {who} took the ticket ({at}). Choose again if you mean to.": _(
        "Meanwhile {who} took the ticket ({at}). Choose again if you mean to."
    ),
    "Meanwhile {who} put the ticket back in its queue ({at}). Choose again if you mean to.": _(
        "Meanwhile {who} put the ticket back in its queue ({at}). Choose again if you mean to."
    ),
    "Ticket #{number} was merged into another already.": _(
        "Ticket #{number} was merged into another already."
    ),
    "Ticket #{number} has ended for good; nothing is merged with it.": _(
        "Ticket #{number} has ended for good: nothing is merged with it."
    ),
    "Ticket #{number} is resolved: reopen it first, or merge it into this one.": _(
        "Ticket #{number} is resolved. Reopen it first, or merge it into this one."
    ),
    "is the ticket itself": _("This is the ticket itself."),
    "there is no ticket by that id": _("There is no ticket with this number."),
    "must be true: two customers would see each other's words in one ticket": _(
        "The tickets are of two customers, who would see each other's words in one ticket. Tick that this is meant."
    ),
    "The ticket waits for that reason already.": _("The ticket waits for that reason already."),
    "The ticket is not waiting.": _("The ticket is not waiting any more."),
    "Only a resolved ticket can be reopened.": _("Only a resolved ticket can be reopened."),
    "The ticket was set aside; a new message needs a new ticket.": _(
        "The ticket was set aside as spam or a test. A new message needs a new ticket."
    ),
    "The ticket has ended; a manager may void it.": _("The ticket is settled. A manager may set it aside."),
    "A launch report opens when no lane is critical.": _("A launch report opens when no lane is critical."),
    "The ticket automation is running already.": _("The automation is running already."),
    "This run was taken for dead and closed; its counts are not kept.": _(
        "This run was taken for dead and closed; its counts are not kept."
    ),
    "must be of 1 to 200 characters": _("This must be of 1 to 200 characters."),
    "must be of 1 to 50 lower-case letters, digits and hyphens, not beginning with a hyphen": _(
        "This must be of 1 to 50 lower-case letters, digits and hyphens, not beginning with a hyphen."
    ),
    "must name at least one": _("Choose at least one."),
    "{names}: not one of {known}": _("This desk knows no {names}."),
    "This key has been revoked before.": _("This key has been revoked before."),
    "is not your present password": _("This is not your present password."),
    "This person works here already.": _("This person works here already."),
    "Nobody shuts themselves out.": _("Nobody shuts themselves out."),
    "Somebody has to administer the desk: this is the last one who can.": _(
        "Somebody has to administer the desk: this is the last one who can."
    ),
    "A demo's passwords are printed for everybody and stay as they are.": _(
        "A demo's passwords are printed for everybody and stay as they are."
    ),
    "Too many attempts. Try again later.": _("Too many attempts. Try again later."),
    "This link has been used, is too old, or is not whole.": _(
        "This link has been used, is too old, or is not whole."
    ),
    "Somebody else has changed the draft meanwhile: look at it again.": _(
        "Somebody else has changed the draft meanwhile. Look at it again."
    ),
    "These rules were published by somebody else meanwhile: compare, and make the draft anew.": _(
        "Somebody else has put other rules in force meanwhile. Compare, and make the draft anew."
    ),
    "Somebody has looked at how this ticket was read already.": _(
        "Somebody has looked at how this ticket was read already."
    ),
    "is not a language of two letters": _("This is not a language of two letters, such as sv or en."),
    "are codes of two letters, such as sv and en": _("These are codes of two letters, such as sv and en."),
    "holds a null character, more than {most} words, or one of more than {longest} characters": _(
        "This holds a null character, more than {most} words, or one of more than {longest} characters."
    ),
    "lies before its start, or in the past": _("This lies before its start, or in the past."),
    "is more than a year after its start": _("This is more than a year after its start."),
    "is the one who is away": _("This is the one who is away."),
    "overlaps the absence from {start} to {end}": _("This overlaps the absence from {start} to {end}."),
    "overlaps the absence from {start} until further notice": _(
        "This overlaps the absence from {start} until further notice. End that one first."
    ),
    "names somebody who is not in the team": _("Somebody of the plan is not in the team any more."),
    "names none, or more than {most}": _("Tick at least one move, and at most {most}."),
    "A model of this kind is being trained already.": _("A model of this kind is being trained already."),
    "This training left no model that could be asked.": _("This training left no model that could be asked."),
    "These assignments have been taken back before.": _("These assignments have been taken back before."),
    "Somebody has taken this escalation, or it has ended.": _("Somebody has taken this escalation already."),
}

_SENTENCES = Sentences(SENTENCES)
INSTANTS = ("at", "start", "end")  # values that flows give in ISO 8601

Say = Callable[[str, str], str]  # a value as the page says it, by its name


def _as_given(_name: str, text: str) -> str:
    return text


def instants_said(zone: ZoneInfo, *, now: datetime) -> Say:
    """Says the instants in a reason as the reader's clock does."""
    return lambda name, text: (
        words.moment(datetime.fromisoformat(text), zone=zone, now=now) if name in INSTANTS else text
    )


def reason_words(reason: str, say: Say = _as_given) -> str:
    """One reason of a flow, as the page says it."""
    return _SENTENCES.said(reason, say)


def fault_words(fault: DomainError, say: Say = _as_given) -> str:
    """A fault that belongs to no field."""
    return reason_words(fault.message, say)


def field_errors(fault: Invalid, say: Say = _as_given) -> dict[str, list[str]]:
    """What was wrong with each field of a form."""
    errors: dict[str, list[str]] = {}
    for one in fault.faults:
        errors.setdefault(one.field, []).append(reason_words(one.reason, say))
    return errors
