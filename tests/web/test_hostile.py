"""What people type is words and never markup, and no address breaks a page."""

from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from flowdesk.accounts.models import User
from flowdesk.core.ids import new_id, shown
from flowdesk.core.tenant import writing
from flowdesk.flows import receive, work
from flowdesk.hubs.services import publish_report
from flowdesk.intake.services import InboundMessage
from flowdesk.people.models import Agent, Contact, Customer
from flowdesk.tickets.states import Channel
from tests.builders import a_world
from tests.web.desk import NOW, Desk
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

EVIL = """<script>alert(1)</script>"><img src=x onerror=alert(2)>' onmouseover='alert(3)"""
FORMS = ("<script>alert", "<img src=x", "' onmouseover='")


@pytest.fixture
def desk(busy_desk: Desk) -> Desk:
    return busy_desk


@pytest.fixture
def client(desk: Desk) -> Client:
    return logged_in("bo@global.example")


def opened(desk: Desk, subject: str, text: str) -> str:
    message = InboundMessage(channel=Channel.EMAIL, subject=subject, text=text, email="maja@nordvik.example")
    return receive.open_ticket(message, by=desk.world.bo, now=NOW).id


def test_markup_in_any_words_is_shown_and_never_run(desk: Desk, client: Client) -> None:
    with writing(desk.world.tenant.id):
        Customer.objects.update(name=EVIL)
        Contact.objects.update(name=EVIL)
        Agent.objects.update(name=EVIL)
    User.objects.filter(email="bo@global.example").update(name=EVIL)
    ticket = opened(desk, EVIL, EVIL)
    work.add_note(ticket, text=f"@{EVIL} {EVIL}", by=desk.world.bo, now=NOW)
    work.send_reply(ticket, text=EVIL, by=desk.world.bo, now=NOW)

    for path in (
        reverse("ticket", args=[ticket]),
        f"/flow/inbox?ticket={ticket}",
        "/flow/tickets/sla",
        "/flow/notices",
        "/flow/tickets/new?q=alert",
        f"/flow/inbox?q={quote(EVIL)}",
        f"/flow/tickets/new?q={quote(EVIL)}",
    ):
        answer = client.get(path)
        html = answer.content.decode()
        assert answer.status_code == 200, path
        assert "alert(1)" in html or "/sla" in path or "notices" in path
        assert not [form for form in FORMS if form in html], path


def test_markup_in_a_refused_form_comes_back_as_words(desk: Desk, client: Client) -> None:
    answer = client.post("/flow/tickets/new", {"subject": EVIL, "text": "", "contact_name": EVIL})

    assert answer.status_code == 422
    assert not [form for form in FORMS if form in answer.content.decode()]


def test_a_report_keeps_markup_as_words(desk: Desk) -> None:
    calm = a_world("calm", at=NOW)
    report = publish_report(by=calm.ada, now=NOW, status_note=EVIL)

    html = logged_in("ada@calm.example").get(reverse("launch-report", args=[report])).content.decode()
    assert "alert(1)" in html
    assert not [form for form in FORMS if form in html]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"subject": "x" * 10_240, "text": "y"}, "This is longer than 300 characters."),
        ({"subject": "x", "text": "y" * 200_001}, "This is longer than 200000 characters."),
        ({"subject": "a\x00b", "text": "y"}, "This holds a null character."),
        ({"subject": " ", "text": "y"}, "This must not be empty."),
        (
            {"subject": "x", "text": "y", "contact": shown("con", new_id(NOW))},
            "This contact is gone. Look again.",
        ),
        ({"subject": "x", "text": "y", "contact_email": "no address"}, "This is not an email address."),
        (
            {"subject": "x", "text": "y", "contact_email": "x" * 300 + "@a.example"},
            "This is not an email address.",
        ),
        ({"subject": "x", "text": "y", "contact_email": "a\x00@a.example"}, "This holds a null character."),
        ({"subject": "x", "text": "y", "contact_name": "n\x00"}, "This holds a null character."),
        ({"subject": "x", "text": "y", "customer_name": "n\x00"}, "This holds a null character."),
    ],
)
def test_a_ticket_that_cannot_be_used_is_refused_with_its_reason(
    client: Client, sent: dict[str, str], said: str
) -> None:
    named = {} if "contact" in sent or "contact_email" in sent else {"contact_email": "maja@nordvik.example"}
    answer = client.post("/flow/tickets/new", {**named, **sent})

    assert answer.status_code == 422
    assert said in answer.content.decode()


@pytest.mark.parametrize(
    ("act", "sent"),
    [
        ("write", {"kind": "reply", "text": "a\x00b"}),
        ("write", {"kind": "note", "text": "a\x00b"}),
        ("write", {"kind": "reply", "text": "x" * 200_001}),
        ("write", {}),
        ("assign", {"assignee": shown("agt", new_id(NOW))}),
        ("wait", {"reason": "nonsense"}),
        ("wait", {"reason": "customer", "until_minutes": "99999999999"}),
        ("wait", {"reason": "third_party", "note": "a\x00b"}),
        ("wait", {"reason": "third_party", "note": ""}),
        ("wait", {"reason": "customer", "note": "x" * 501}),
        ("priority", {"priority": "0", "note": "x"}),
        ("priority", {"priority": "2", "note": ""}),
        ("priority", {"priority": "3", "note": "a\x00b"}),
        ("escalate", {"target": "nobody", "note": "x"}),
        ("escalate", {"target": "team_lead", "note": "a\x00b"}),
        ("resolve", {"summary": ""}),
        ("resolve", {"summary": "a\x00b"}),
        ("resolve", {"summary": "x" * 20_001}),
    ],
)
def test_an_act_that_cannot_be_used_comes_back_with_a_reason(
    desk: Desk, client: Client, act: str, sent: dict[str, str]
) -> None:
    answer = client.post(reverse("ticket-act", args=[desk.tickets["risk"], act]), sent)

    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "after=nonsense",
        "after=WzEsMl0:1tYk:abc",
        "lane=nonsense",
        "lane=%00",
        "signal=nonsense",
        "signal=active&window=nonsense",
        "signal=%00",
        "status=nonsense",
        "priority=9",
        "team=1;drop",
        "team=%00",
        "assignee=agt_nonsense",
        "assignee=%00",
        "channel=fax",
        "language=%00",
        "category=%00",
        "tier=" + "x" * 200,
        "order=nonsense",
        "q=%00",
        "q=" + "x" * 5000,
        "q=%25%5C_",
        "ticket=%00",
    ],
)
def test_no_address_breaks_the_inbox(client: Client, query: str) -> None:
    assert client.get(f"/flow/inbox?{query}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/flow/tickets/sla?window=nonsense",
        "/flow/notices?before=x",
        "/flow/notices?before=-1",
        "/flow/notices?before=" + "9" * 40,
        "/flow/notices?before=%D9%A3",
        "/flow/tickets/new?q=%00",
        "/login?next=%00",
    ],
)
def test_no_address_breaks_a_page(client: Client, path: str) -> None:
    assert client.get(path).status_code in (200, 302)


@pytest.mark.parametrize(
    "name", ["tkt_%00", "tkt_" + "z" * 26, "tkt_" + "0" * 500, "%F0%9F%92%A9", "..", "esc_0"]
)
def test_no_id_breaks_a_page(client: Client, name: str) -> None:
    assert client.get(f"/flow/tickets/{name}").status_code == 404
    assert client.get(f"/flow/reports/{name}").status_code == 404
    assert client.post(f"/flow/escalations/{name}/acknowledge").status_code == 404


@pytest.mark.parametrize("assignee", ["agt_nonsense", "\x00", "tkt_" + "0" * 26])
def test_an_id_that_is_none_finds_nobody(desk: Desk, client: Client, assignee: str) -> None:
    path = reverse("ticket-act", args=[desk.tickets["risk"], "assign"])

    assert client.post(path, {"assignee": assignee}).status_code == 404


def test_a_note_that_is_too_long_for_a_report_is_told(desk: Desk) -> None:
    client = logged_in("ada@global.example")

    answer = client.post("/flow/tickets/sla/publish", {"status_note": "x" * 100_000}, follow=True)

    assert answer.status_code == 200
    assert "is critical" in answer.content.decode() or "This is longer" in answer.content.decode()
