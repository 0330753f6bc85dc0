"""The OpenAPI document, walked: every operation keeps other tenants, strangers and too small keys out."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from flowdesk.accounts.models import ApiKey
from flowdesk.accounts.services import create_key, revoke_key
from flowdesk.api.api import METHODS, api
from flowdesk.core.actor import system
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.escalation.models import Escalation
from flowdesk.people.models import Absence, Agent, Team
from flowdesk.routing import bulks
from flowdesk.routing.bulks import Moved
from flowdesk.routing.models import BulkKind
from flowdesk.tickets.models import Message, Note, Ticket, TicketEvent
from flowdesk.triage.models import Issue, IssueMember, LearnedModel
from tests.api.desk import EVERYTHING, Desk, a_desk, good, refused
from tests.builders import MONDAY_9, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

# A body that each writing operation would take, were the thing one's own.
BODIES: dict[str, Any] = {
    "open_ticket": {"subject": "Ours", "text": "Ours.", "email": "leo@elsewhere.example"},
    "add_message": {"text": "Hello."},
    "reply": {"text": "Hello."},
    "add_note": {"text": "Hello."},
    "wait": {"reason": "customer"},
    "assign": {"team": "tier-2"},
    "prioritise": {"priority": "P2"},
    "void": {"because": "test"},
    "escalate": {"target": "on_call"},
    "change_issue": {"status": "known"},
    "merge": {"into": "tkt_00000000000000000000000000"},
    "merge_duplicates": {"pairs": [{"ticket": shown("tkt", UUID(int=7)), "into": shown("tkt", UUID(int=8))}]},
    "create_customer": {"name": "Ours"},
    "change_customer": {"name": "Taken over", "tier": "free"},
    "add_contact": {"email": "thief@elsewhere.example"},
    "change_contact": {"name": "Taken over"},
    "correct_triage": {"category": "billing"},
    "change_agent": {"capacity": 1},
    "begin_absence": {"starts_at": "2026-06-16T07:00:00Z"},
    "write_rules": {"source": "rules: []\n"},
    "write_fields": {"fields": [{"key": "amount", "type": "number"}]},
    "check_rules": {"source": "rules: []\n"},
    "train_model": {"target": "category"},
    "even_out": {
        "moves": [
            {
                "ticket": shown("tkt", UUID(int=7)),
                "before": shown("agt", UUID(int=8)),
                "after": shown("agt", UUID(int=9)),
            }
        ]
    },
}
IDS = (
    "ticket_id",
    "customer_id",
    "contact_id",
    "escalation_id",
    "import_id",
    "agent_id",
    "absence_id",
    "bulk_id",
    "issue_id",
    "team",
    "model_id",
)
ASKS_FOR_A_TICKET = "try_rules"
SECRETS = ("Nordvik", "maja@", "Checkout", "gateway")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method.upper(), path, methods[method]


def takes_json(operation: dict[str, Any]) -> bool:
    """Whether the operation has no body or one of JSON, rather than a file."""
    return "application/json" in operation.get("requestBody", {}).get("content", {"application/json": None})


EVERY = sorted(operations(), key=lambda entry: str(entry[2]["operationId"]))
TAKES_A_FILE = "import_tickets"  # its body is no JSON: see test_imports


def a_life(desk: Desk) -> dict[str, str]:
    """A tenant with one of everything; the ids that paths ask for."""
    ticket = desk.open()
    path = f"/tickets/{ticket['id']}"
    desk.post(f"{path}/replies", {"text": "It is the gateway."})
    desk.post(f"{path}/notes", {"text": "It is the gateway."})
    world = desk.world
    agent = shown("agt", world.bo_agent.public_id)
    with writing(world.tenant.id):
        row = Ticket.objects.order_by("id").last()
        assert row is not None
        row.needs_review = True
        row.save(update_fields=["needs_review"])
        Team.objects.get_or_create(
            tenant=world.tenant, slug="ours", defaults={"public_id": uuid4(), "name": "Ours"}
        )
        moved = Moved(
            ticket=row.id, team_before=row.team_id, agent_before=None, team=row.team_id, agent=row.assignee_id
        )
        issue = Issue.objects.create(
            tenant=world.tenant, public_id=uuid4(), title="Checkout is down", representative=row,
            opened_at=MONDAY_9, last_seen_at=MONDAY_9, updated_at=MONDAY_9,
        )  # fmt: skip
        IssueMember.objects.create(tenant=world.tenant, issue=issue, ticket=row, joined_at=MONDAY_9)
        model = LearnedModel.objects.filter(target="team").first() or LearnedModel.objects.create(
            tenant=world.tenant,
            public_id=uuid4(),
            target="team",
            version=1,
            state="kept",
            data=b"x",
            begun_at=MONDAY_9,
        )
        Absence.objects.all().delete()  # of a life before: one absence at a time
        bulk = bulks.keep_bulk(uuid4(), [moved], kind=BulkKind.DRAINED, by=world.ada, at=MONDAY_9)
    begins = BODIES["begin_absence"]["starts_at"]
    return {
        "agent_id": agent,
        "absence_id": desk.post(
            f"/agents/{agent}/absences", {"starts_at": "2026-06-15T07:00:00Z", "ends_at": begins}
        )["id"],
        "issue_id": shown("iss", issue.public_id),
        "bulk_id": bulks.name_of(bulk.public_id),
        "model_id": shown("mdl", model.public_id),
        "team": "ours",
        "ticket_id": ticket["id"],
        "customer_id": ticket["customer"]["id"],
        "contact_id": ticket["contact"]["id"],
        "escalation_id": desk.get("/escalations")["items"][0]["id"],
        "import_id": good(desk.raw("POST", "/imports", b"{}", kind="text/csv"))["id"],
    }


def body_for(desk: Desk, operation: str) -> Any:
    """A body that the operation takes; what it names beside the path's own thing is there."""
    return {"into": desk.open()["id"]} if operation == "merge" else BODIES.get(operation, {})


def everything(tenant: int) -> dict[str, int]:
    """How many rows the tenant has of what an intruder could add."""
    with reading(tenant):
        return {
            model.__name__: model.objects.count()
            for model in (Ticket, Message, Note, TicketEvent, Escalation)
        }


def test_another_tenants_key_finds_nothing() -> None:
    owner = a_desk()
    ids = a_life(owner)
    stranger = a_desk(a_world("elsewhere"))
    before = everything(owner.world.tenant.id)

    for method, path, operation in EVERY:
        if operation["operationId"] in (TAKES_A_FILE, ASKS_FOR_A_TICKET):
            continue
        body = BODIES.get(operation["operationId"], {}) if method != "GET" else None
        answer = stranger.call(method, path.format(**ids), body)
        if "{" in path:
            refused(answer, 404)
        else:
            text = json.dumps(good(answer))
            assert not any(word in text for word in SECRETS), (path, text)
        assert everything(owner.world.tenant.id) == before, path


@pytest.mark.parametrize("field", ["customer", "contact", "assignee", "team"])
def test_another_tenants_ids_are_unknown_in_filters_and_bodies(field: str) -> None:
    owner = a_desk()
    a_life(owner)
    ticket = owner.get("/tickets")["items"][0]
    stranger = a_desk(a_world("elsewhere"))
    foreign = ticket[field]["id"]
    mine = stranger.post("/tickets", BODIES["open_ticket"])

    refused(stranger.call("GET", "/tickets", **{field: foreign}), 422)
    if field in ("customer", "contact"):
        body = {"subject": "Ours", "text": "Ours.", field: foreign}
        refused(stranger.call("POST", "/tickets", body), 422)
    else:
        body = {"agent" if field == "assignee" else field: foreign}
        refused(stranger.call("POST", f"/tickets/{mine['id']}/assign", body), 422)


def test_without_a_key_nothing_is_served() -> None:
    desk = a_desk()
    desk.key = ""

    for method, path, _ in EVERY:
        answer = desk.call(method, path, {} if method != "GET" else None)

        refused(answer, 401)
        assert answer["WWW-Authenticate"].startswith("Bearer"), path


def test_a_key_without_the_scope_is_refused() -> None:
    world = a_world()

    for method, path, operation in EVERY:
        if "x-scope" not in operation:
            continue
        needed = operation["x-scope"]
        desk = a_desk(world, scopes=[scope for scope in EVERYTHING if scope != needed])
        found = refused(desk.call(method, path, {} if method != "GET" else None), 403)

        assert found["code"] == "missing_scope", path
        assert needed in found["detail"], path


def test_a_key_that_may_not_read_gets_receipts_only() -> None:
    world = a_world()
    owner, blind = a_desk(world), a_desk(world, scopes=[one for one in EVERYTHING if one != "read"])
    shapes = {
        "tickets": {"id", "number", "status"},
        "replies": {"id", "ticket"},
        "notes": {"id", "ticket"},
        "undo": {"bulk", "moved", "kept"},
        "duplicates": {"merged", "pairs"},
    }
    # Rules are what the scope itself is about; the moves of a plan are read before they are made.
    open_to_all = (
        "read_rules",
        "check_rules",
        "list_lacking_rules",
        "write_fields",
        "write_rules",
        "even_out",
        "list_models",
        "train_model",
        "promote_model",
        "put_model_aside",
        ASKS_FOR_A_TICKET,
    )

    for method, path, operation in EVERY:
        if operation.get("x-scope", "read") in ("read", "import", "audit"):
            continue  # acts alone have receipts; what a key imported, it may see
        if operation["operationId"] in open_to_all:
            continue
        ids = a_life(owner)
        if operation["operationId"] == "reopen":
            owner.post(f"/tickets/{ids['ticket_id']}/resolve")
        if operation["operationId"] == "resume":
            owner.post(f"/tickets/{ids['ticket_id']}/wait", {"reason": "customer"})
        if operation["operationId"] == "unmerge":
            owner.post(f"/tickets/{ids['ticket_id']}/merge", body_for(owner, "merge"))
        body = body_for(owner, operation["operationId"])
        answer = good(blind.call(method, path.format(**ids), body))
        parts = path.split("/")
        wanted = shapes.get(parts[-1], shapes.get(parts[1], {"id"}))

        assert set(answer) == wanted, path
        assert set(answer.get("ticket", {})) <= shapes["tickets"], path


def test_the_document_says_what_a_key_that_may_not_read_gets_back() -> None:
    schema = api.get_openapi_schema(path_prefix="")

    opened = schema["paths"]["/tickets"]["post"]["responses"][201]["content"]["application/json"]["schema"]
    assert [one["$ref"].rpartition("/")[2] for one in opened["anyOf"]] == ["TicketDetail", "TicketReceipt"]


@pytest.mark.parametrize(
    "guess", ["tkt_00000000000000000000000000", "esc_1", "1", "..%2f..", "tkt_", "\u00e5", "tkt_" + "z" * 26]
)
def test_an_id_of_another_kind_is_not_found(guess: str) -> None:
    desk = a_desk()
    parts = dict.fromkeys(IDS, guess)

    for method, path, operation in EVERY:
        if "{" in path:
            body = BODIES.get(operation["operationId"], {}) if method != "GET" else None
            refused(desk.call(method, path.format(**parts), body), 404)


def test_unknown_expired_and_revoked_keys_are_refused_alike() -> None:
    desk = a_desk(expires_at=MONDAY_9 + timedelta(days=1))
    desk.get("/me")
    made = create_key("gone", scopes=["read"], by=system(desk.world.tenant.id), now=MONDAY_9)
    revoke_key(made.row.prefix, by=system(desk.world.tenant.id), now=MONDAY_9)

    with desk.later(timedelta(days=1)):
        expired = refused(desk.call("GET", "/me"), 401)
    desk.key = made.secret
    revoked = refused(desk.call("GET", "/me"), 401)
    desk.key = "fdk_" + "x" * 43
    unknown = refused(desk.call("GET", "/me"), 401)

    assert expired == revoked == unknown


def test_the_document_says_how_everything_fails_and_which_scope_it_needs() -> None:
    document = api.get_openapi_schema()

    assert document["openapi"].startswith("3.1")
    assert "Problem" in document["components"]["schemas"]
    for _, path, operation in EVERY:
        assert "application/problem+json" in operation["responses"]["default"]["content"], path
        assert operation["operationId"] == "read_me" or "x-scope" in operation, path


def test_the_document_and_its_page_need_no_key() -> None:
    desk = a_desk()
    desk.key = ""

    document = good(desk.call("GET", "/openapi.json"))
    page = desk.call("GET", "/docs")

    assert "/api/v1/tickets" in document["paths"]
    assert page.status_code == 200
    assert "<script" not in page.content.decode()
    assert "/api/v1/tickets/{ticket_id}/wait" in page.content.decode()


def test_me_says_who_asks_and_use_is_noted_once_a_minute() -> None:
    desk = a_desk(scopes=["read", "open"])

    me = desk.get("/me")
    with desk.later(timedelta(seconds=30)):
        desk.get("/me")

    assert me["scopes"] == ["open", "read"]
    assert me["tenant"]["slug"] == "global"
    assert ApiKey.objects.get().last_used_at == MONDAY_9


def test_the_ids_of_people_are_public_ones() -> None:
    desk = a_desk()

    with reading(desk.world.tenant.id):
        agents = {shown("agt", agent.public_id) for agent in Agent.objects.all()}
        teams = {team.slug for team in Team.objects.all()}

    assert {one["id"] for one in desk.get("/agents")["items"]} == agents
    assert {one["slug"] for one in desk.get("/teams")["items"]} == teams
