"""A ticket that an agent writes: for whom, about what, and how they reached us."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from flowdesk.web.parts import Choice, Field, Form, Kind
from flowdesk.web.vocabulary import CHANNELS


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMatch:
    """A person the search found."""

    id: str
    name: str
    email: str
    customer: str
    tier: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTicketPage:
    """One form. The search for a contact reloads the page, or only its answers with script."""

    form: Form  # subject, text, channel
    search: Field  # name "q", sent with GET to `search_href`
    search_href: str
    matches: tuple[ContactMatch, ...] = ()
    similar_href: str = ""  # POST of what is written so far: tickets like it
    newcomer: tuple[Field, ...] = ()  # name, email, customer: filled instead of choosing a match
    is_new: bool = False
    contact_errors: tuple[str, ...] = ()
    cancel_href: str = "/"


def new_ticket_form(
    href: str, *, channels: Iterable[str] = ("phone", "email", "chat"), own: Iterable[Field] = ()
) -> Form:
    """What the ticket says, and the desk's own fields; the channel decides which promises start."""
    return Form(
        id="new-ticket",
        href=href,
        submit=_("Open ticket"),
        fields=(
            Field(name="subject", label=_("Subject"), is_required=True, max_length=200),
            Field(name="text", label=_("What they said"), kind=Kind.LONG, is_required=True),
            Field(
                name="channel",
                label=_("How they reached us"),
                kind=Kind.SELECT,
                choices=tuple(Choice(value=name, words=str(CHANNELS[name])) for name in channels),
                hint=_("A logged call counts as our first response."),
            ),
            *own,
        ),
    )


def contact_search(value: str = "") -> Field:
    """Find someone who has written before."""
    return Field(
        name="q", label=_("Find a contact"), kind=Kind.SEARCH, value=value, hint=_("Name, email or customer")
    )


def newcomer_fields() -> tuple[Field, ...]:
    """Someone who has not."""
    return (
        Field(name="contact_name", label=_("Name"), autocomplete="off"),
        Field(name="contact_email", label=_("Email"), kind=Kind.EMAIL, autocomplete="off"),
        Field(name="customer_name", label=_("Customer"), autocomplete="off"),
    )
