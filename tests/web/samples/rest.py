"""The way in, a new ticket, the notices."""

from dataclasses import replace

from flowdesk.web.account.page import LoginPage, login_form
from flowdesk.web.parts import (
    Link,
)
from flowdesk.web.shell import NoticesPage
from flowdesk.web.ticket.new import (
    ContactMatch,
    NewTicketPage,
    contact_search,
    new_ticket_form,
    newcomer_fields,
)
from tests.web.samples.shell import notices


def a_login_page() -> LoginPage:
    return LoginPage(
        form=login_form("/accounts/login/", next_href="/flow/inbox"),
        forgot_href="/accounts/password/reset/",
        others=(Link(words="Company log-in", href="/accounts/oidc/", icon="lock"),),
    )


def a_refused_login() -> LoginPage:
    form = login_form("/accounts/login/").answered(
        {"login": "ada"}, {"__all__": ("The name and the password do not go together.",)}
    )
    return LoginPage(form=form)


def a_new_ticket_page() -> NewTicketPage:
    return NewTicketPage(
        form=new_ticket_form("/flow/tickets/new"),
        search=contact_search("lund"),
        search_href="/flow/tickets/new",
        matches=(
            ContactMatch(
                id="c1",
                name="Maja Lund",
                email="maja.lund@nordvik.example",
                customer="Nordvik Retail",
                tier="Enterprise",
                is_chosen=True,
            ),
            ContactMatch(
                id="c2", name="Per Lundin", email="per@pikaro.example", customer="Pikaro", tier="Starter"
            ),
        ),
        newcomer=newcomer_fields(),
        cancel_href="/flow/inbox",
    )


def a_refused_new_ticket() -> NewTicketPage:
    page = a_new_ticket_page()
    return replace(
        page,
        form=page.form.answered({"subject": ""}, {"subject": ("Say in a few words what it is about.",)}),
        search=contact_search("nobody"),
        matches=(),
        is_new=True,
        contact_errors=("Choose a contact, or fill in someone new.",),
    )


def a_notices_page() -> NoticesPage:
    return NoticesPage(
        notices=notices(), unread=2, read_all_href="/flow/notices/read", more_href="/flow/notices?after=x"
    )
