"""Who gets in, and how far: strangers find nothing, auditors look, and no button is shown that would be refused."""

import re
from typing import cast

import pytest
from django.test import Client
from django.urls import reverse

from flowdesk.accounts.models import MEMBER_ROLES, Membership, User
from flowdesk.core.actor import GRANTS, Act, Role
from flowdesk.core.ids import new_id, shown
from flowdesk.core.tenant import reading
from flowdesk.escalation.models import Escalation, EscalationState
from flowdesk.tickets.models import Ticket
from flowdesk.web import access
from flowdesk.web.ticket.views import ACTS
from tests.builders import a_world
from tests.web.desk import NOW, PASSWORD, Desk
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

PAGES = (
    "/flow/inbox",
    "/flow/notices",
    "/flow/tickets/sla",
    "/flow/tickets/new",
    "/flow/account",
    "/flow/settings/people",
)
SENT = {
    "write": {"kind": "reply", "text": "x"},
    "wait": {"reason": "customer"},
    "resolve": {"summary": "x"},
    "reopen": {"note": "x"},
    "priority": {"priority": "4", "note": "x"},
    "escalate": {"target": "team_lead", "note": "x"},
    "merge": {"into": "#2"},
    "classify": {"category": "billing"},
}
POSTS = (
    "read-notices",
    "preferences",
    "switch-tenant",
    "account-profile",
    "account-password",
    "end-session",
    "member-deed",
    "publish-report",
    "run-automation",
    "export-audit",
)


@pytest.fixture
def desk(busy_desk: Desk) -> Desk:
    return busy_desk


@pytest.fixture
def auditor(desk: Desk) -> Client:
    user = User.objects.create_user("eve@global.example", PASSWORD, name="Eve Berg")
    Membership.objects.create(user=user, tenant=desk.world.tenant, role=Role.AUDITOR)
    return logged_in("eve@global.example")


@pytest.fixture
def cleo(desk: Desk) -> Client:
    """A lead of another tenant."""
    a_world("other", at=NOW)
    return logged_in("ada@other.example")


def open_escalation(desk: Desk) -> str:
    with reading(desk.world.tenant.id):
        row = Escalation.objects.filter(state=EscalationState.OPEN).order_by("-id").first()
    assert row is not None
    return shown("esc", row.public_id)


def addresses(desk: Desk) -> list[str]:
    """Every page and every act that names something of this tenant."""
    ticket = desk.tickets["over"]
    return [
        reverse("ticket", args=[ticket]),
        *(reverse("ticket-act", args=[ticket, act]) for act in ACTS),
        reverse("acknowledge", args=[open_escalation(desk)]),
    ]


def test_a_stranger_finds_nothing_of_another_tenant(desk: Desk, cleo: Client) -> None:
    page, *acts = addresses(desk)

    assert cleo.get(page).status_code == 404
    for act in acts:
        name = act.rpartition("/")[2]
        assert cleo.post(act, SENT.get(name, {})).status_code == 404, act
    assert "Checkout fails" not in cleo.get("/flow/inbox").content.decode()
    assert "Checkout fails" not in cleo.get(f"/flow/inbox?ticket={desk.tickets['over']}").content.decode()
    assert "Checkout fails" not in cleo.get("/flow/tickets/sla").content.decode()
    assert "Nordvik" not in cleo.get("/flow/tickets/new?q=maja").content.decode()


def test_a_stranger_cannot_read_anothers_report(desk: Desk, cleo: Client) -> None:
    assert cleo.get(reverse("launch-report", args=[shown("rep", new_id(NOW))])).status_code == 404


def test_a_stranger_cannot_choose_a_tenant_they_do_not_belong_to(desk: Desk, cleo: Client) -> None:
    cleo.post(reverse("switch-tenant"), {"tenant": "global"})

    assert "Checkout fails" not in cleo.get("/flow/inbox").content.decode()


def test_whoever_belongs_to_no_tenant_gets_nowhere(desk: Desk) -> None:
    User.objects.create_user("none@global.example", PASSWORD, name="Nobody")

    assert logged_in("none@global.example").get("/flow/inbox").status_code == 403


def test_a_role_without_reading_is_refused_every_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    client = logged_in("bo@global.example")
    monkeypatch.setitem(cast("dict[Role, frozenset[Act]]", GRANTS), Role.AGENT, frozenset({Act.OPEN}))

    for path in (*PAGES, reverse("ticket", args=[desk.tickets["over"]])):
        answer = client.get(path)
        assert answer.status_code == 403, path
        assert "Checkout fails" not in answer.content.decode(), path


def test_a_membership_of_a_role_that_is_no_members_opens_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The table refuses such a role; this is the door behind it.
    monkeypatch.setattr(access, "MEMBER_ROLES", tuple(set(MEMBER_ROLES) - {Role.AGENT}))
    client = logged_in("bo@global.example")

    for path in (*PAGES, reverse("ticket", args=[desk.tickets["over"]])):
        assert client.get(path).status_code == 403, path


@pytest.mark.parametrize(
    "path", [*PAGES, "/flow/tickets/tkt_x", "/flow/reports/x", "/flow/tickets/sla/review.ics"]
)
def test_every_page_asks_for_a_login_first_and_remembers_the_way(path: str) -> None:
    answer = Client().get(path)

    assert answer.status_code == 302
    assert answer["Location"] == f"/login?next={path}"


@pytest.mark.parametrize("name", POSTS)
def test_every_act_asks_for_a_login_first(name: str) -> None:
    assert Client().post(reverse(name))["Location"].startswith("/login")


def test_an_act_without_its_token_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)

    assert client.post(reverse("ticket-act", args=["tkt_x", "take"])).status_code == 403


def test_an_auditor_sees_every_page(desk: Desk, auditor: Client) -> None:
    for path in ("/flow/inbox", "/flow/tickets/sla", "/flow/notices", "/flow/tickets/sla/review.ics"):
        assert auditor.get(path).status_code == 200, path
    for ticket in desk.tickets.values():
        assert auditor.get(reverse("ticket", args=[ticket])).status_code == 200


def test_an_auditor_may_not_act(desk: Desk, auditor: Client) -> None:
    _page, *acts = addresses(desk)

    for act in acts:
        assert auditor.post(act, SENT.get(act.rpartition("/")[2], {})).status_code == 403, act
    for name in ("publish-report", "run-automation"):
        assert auditor.post(reverse(name)).status_code == 403, name
    assert auditor.get("/flow/tickets/new").status_code == 403
    assert auditor.post("/flow/tickets/new", {"subject": "x", "text": "y"}).status_code == 403


def test_an_auditor_is_shown_no_act(desk: Desk, auditor: Client) -> None:
    for path in (
        "/flow/tickets/sla",
        "/flow/inbox",
        *(reverse("ticket", args=[t]) for t in desk.tickets.values()),
    ):
        html = auditor.get(path).content.decode()
        posts = set(re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', html))

        assert posts <= {"/flow/preferences", "/logout"}, path
        assert "/flow/tickets/new" not in html, path


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.MANAGER, Role.ADMIN])
def test_no_button_is_shown_that_would_be_refused(desk: Desk, role: Role) -> None:
    Membership.objects.filter(user__email="bo@global.example").update(role=role)
    client = logged_in("bo@global.example")
    for path in ("/flow/tickets/sla", *(reverse("ticket", args=[t]) for t in desk.tickets.values())):
        html = client.get(path).content.decode()
        for action in set(re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', html)) - {"/logout"}:
            assert client.post(action, {}).status_code != 403, (path, action)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/flow/inbox", "post"),
        ("/flow/notices", "post"),
        ("/flow/notices/read", "get"),
        ("/flow/preferences", "get"),
        ("/flow/tenant", "get"),
        ("/flow/tickets/sla", "post"),
        ("/flow/tickets/sla/publish", "get"),
        ("/flow/tickets/sla/run", "get"),
        ("/flow/tickets/sla/review.ics", "post"),
        ("/flow/tickets/new", "put"),
        ("/flow/tickets/x", "delete"),
        ("/flow/tickets/x/take", "get"),
        ("/flow/escalations/x/acknowledge", "get"),
        ("/flow/reports/x", "post"),
        ("/flow/settings/audit", "post"),
        ("/flow/settings/audit/export", "get"),
        ("/logout", "get"),
    ],
)
def test_a_wrong_method_is_told_so(path: str, method: str) -> None:
    assert getattr(Client(), method)(path).status_code == 405


def test_logging_out_ends_the_session(desk: Desk) -> None:
    client = logged_in("bo@global.example")

    client.post("/logout")

    assert client.get("/flow/inbox").status_code == 302


def test_a_way_back_leads_nowhere_else(desk: Desk) -> None:
    client = logged_in("bo@global.example")

    for wanted in (
        "https://evil.example",
        "//evil.example",
        "/flow/\\evil.example",
        "/flow//evil.example",
        "x",
    ):
        answer = client.post(reverse("preferences"), {"theme": "dark", "back": wanted})
        assert answer["Location"] == "/flow/inbox", wanted
    assert client.post(reverse("preferences"), {"back": "/flow/notices"})["Location"] == "/flow/notices"


def test_a_login_leads_nowhere_else(desk: Desk) -> None:
    answer = Client().post(
        "/login", {"login": "bo@global.example", "password": PASSWORD, "next": "https://evil.example/"}
    )

    assert answer["Location"] == "/flow/tickets/sla"


def test_an_act_nobody_knows_is_not_there(desk: Desk) -> None:
    client = logged_in("bo@global.example")

    assert client.post(reverse("ticket-act", args=[desk.tickets["over"], "explode"])).status_code == 404


def test_an_act_that_came_too_late_is_told(desk: Desk) -> None:
    client = logged_in("bo@global.example")
    answer = client.post(
        reverse("ticket-act", args=[desk.tickets["resolved"], "wait"]), {"reason": "customer"}
    )

    assert answer.status_code == 422
    assert "The ticket is settled. Reopen it first." in answer.content.decode()


def test_a_second_acknowledgement_is_told(desk: Desk) -> None:
    client, path = logged_in("bo@global.example"), reverse("acknowledge", args=[open_escalation(desk)])
    client.post(path)

    assert "Somebody has taken this escalation already." in client.post(path, follow=True).content.decode()


def test_eight_wrong_passwords_are_told_and_the_ninth_waits(desk: Desk) -> None:
    client = Client()
    answers = [
        client.post("/login", {"login": "bo@global.example", "password": "wrong"}).status_code
        for _try in range(9)
    ]

    assert answers == [422] * 8 + [429]


def test_a_ticket_that_is_gone_is_not_an_error_in_the_list(desk: Desk) -> None:
    client = logged_in("bo@global.example")

    assert client.get("/flow/inbox?ticket=tkt_nonsense").status_code == 200
    with reading(desk.world.tenant.id):
        assert Ticket.objects.count() == len(desk.tickets)


def test_wrong_passwords_lock_one_address_and_not_the_office() -> None:
    a_world("office")
    office = Client(REMOTE_ADDR="192.0.2.7")
    for _ in range(9):
        answer = office.post("/login", {"login": "ada@office.example", "password": "wrong"})

    allowed = office.post("/login", {"login": "bo@office.example", "password": "s3cret-words"})

    assert answer.status_code == 429
    assert allowed.status_code == 302


def test_an_act_without_a_login_leads_back_to_a_page_that_can_be_read(client: Client) -> None:
    ours = client.post("/flow/account/profile", headers={"referer": "http://testserver/flow/account?x=1"})
    theirs = client.post("/flow/account/profile", headers={"referer": "http://elsewhere.example/flow"})

    assert ours["Location"] == "/login?next=/flow/account%3Fx%3D1"
    assert theirs["Location"] == "/login?next=/"


def test_a_script_without_a_login_is_told_so_and_swaps_nothing(client: Client) -> None:
    answer = client.post("/flow/account/profile", headers={"hx-request": "true"})

    assert (answer.status_code, answer.content) == (401, b"")
