"""Every page these tests know, rendered with the template engine alone."""

from collections.abc import Callable
from typing import Any

from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation

from flowdesk.web.shell import NoticesPage
from tests.web.samples import account, audit, hub, inbox, rest, shell, ticket

Maker = Callable[[], dict[str, Any]]


def _in_shell(page: Callable[[], object], current: str = "inbox") -> Maker:
    return lambda: {"shell": shell.a_shell(current, language=translation.get_language()), "page": page()}


PAGES: dict[str, tuple[str, Maker]] = {
    "login": ("account/login.html", lambda: {"page": rest.a_login_page()}),
    "login-refused": ("account/login.html", lambda: {"page": rest.a_refused_login()}),
    "inbox": ("inbox/page.html", _in_shell(inbox.an_inbox_page)),
    "inbox-empty": (
        "inbox/page.html",
        lambda: {"shell": shell.an_empty_shell(), "page": inbox.an_empty_inbox()},
    ),
    "inbox-toast": (
        "inbox/page.html",
        lambda: {"shell": shell.a_shell_with_toast(), "page": inbox.an_inbox_page()},
    ),
    "ticket": ("ticket/page.html", _in_shell(ticket.a_ticket_page)),
    "ticket-refused": ("ticket/page.html", _in_shell(ticket.a_refused_wait)),
    "ticket-waiting": ("ticket/page.html", _in_shell(ticket.a_waiting_ticket)),
    "new-ticket": ("ticket/new.html", _in_shell(rest.a_new_ticket_page)),
    "new-ticket-refused": ("ticket/new.html", _in_shell(rest.a_refused_new_ticket)),
    "sla": ("hubs/sla.html", _in_shell(hub.a_hot_hub, "sla")),
    "sla-empty": (
        "hubs/sla.html",
        lambda: {"shell": shell.an_empty_shell(), "page": hub.an_empty_hub()},
    ),
    "sla-late": (
        "hubs/sla.html",
        lambda: {**_in_shell(hub.a_hot_hub, "sla")(), "engine_note": "worker_silent"},
    ),
    "audit": ("audit/page.html", _in_shell(audit.an_audit_page, "audit")),
    "audit-empty": ("audit/page.html", _in_shell(audit.an_empty_audit_page, "audit")),
    "notices": ("notices/page.html", _in_shell(rest.a_notices_page, "")),
    "notices-empty": ("notices/page.html", _in_shell(NoticesPage, "")),
    "account": ("account/page.html", _in_shell(account.an_account_page, "")),
    "account-refused": ("account/page.html", _in_shell(account.a_refused_password, "")),
    "members": ("members/page.html", _in_shell(account.a_members_page, "members")),
    "lost-password": ("account/link.html", lambda: {"page": account.a_lost_password_page()}),
    "bad-link": ("account/link.html", lambda: {"page": account.a_bad_link_page()}),
    "404-inside": ("404.html", lambda: {"shell": shell.a_shell(""), "frame": "shell.html"}),
    "400": ("400.html", dict),
    "403": ("403.html", dict),
    "403_csrf": ("403_csrf.html", dict),
    "404": ("404.html", dict),
    "500": ("500.html", dict),
    "503": ("503.html", dict),
}


def render(name: str, *, language: str = "en", fragment: str = "") -> str:
    """One page in one language, or one of its fragments."""
    template, context = PAGES[name]
    with translation.override(language):
        request = RequestFactory().get("/")
        name = f"{template}#{fragment}" if fragment else template
        return render_to_string(name, context(), request=request)


def render_shell(fragment: str, *, language: str = "en") -> str:
    """A fragment of the frame itself."""
    with translation.override(language):
        context = {"shell": shell.a_shell_with_toast()}
        return render_to_string(f"shell.html#{fragment}", context, request=RequestFactory().get("/"))
