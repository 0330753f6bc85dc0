"""What a desk has decided changes: a customer's terms under running promises, and the rules for what comes in."""

from collections.abc import Mapping
from datetime import datetime

from flowdesk.accounts.audit import AuditAct
from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import DomainError, Fault, Invalid, NotFound
from flowdesk.core.tenant import act, one_at_a_time
from flowdesk.core.versions import Expected, must_stand_at
from flowdesk.engine.facts import CustomField, vocabulary
from flowdesk.engine.promises import Occurrence
from flowdesk.engine.routing import RoutingRules
from flowdesk.flows.desk import Work, close_work, work_on
from flowdesk.people import queries as people_queries
from flowdesk.people import services as people
from flowdesk.people.models import Customer
from flowdesk.people.services import CustomerCard
from flowdesk.policies.models import Draft, PolicyRevision
from flowdesk.policies.packs import with_pack_rule
from flowdesk.policies.queries import rules_lacking
from flowdesk.policies.reader import PolicyFault, PolicyFaults, read_document
from flowdesk.policies.rule_text import section_of, with_section
from flowdesk.policies.sections.fields import fields_text
from flowdesk.policies.sections.routing import Skilled, read_routing, skill_hints
from flowdesk.policies.services import current_policy, invalid, save_revision
from flowdesk.tickets import services as tickets
from flowdesk.tickets.states import EventKind

SECTIONS = ("escalation", "routing")
POLICY = "policy"  # what changes it waits for others that do
LONGEST_SECTION = 200_000  # characters


class DraftMoved(DomainError):
    """Somebody else has changed the draft meanwhile: look at it again."""

    code = "draft_moved"


class DraftBehind(DomainError):
    """These rules were published by somebody else meanwhile: compare, and make the draft anew."""

    code = "draft_behind"


@act
def keep_draft(section: str, source: str, *, seen: int, by: Actor, now: datetime) -> Draft:
    """Keep what somebody writes, right or wrong: nothing of it is in force. `seen` is the number of changes that they
    had before them, 0 where there was no draft. Raises DraftMoved, NotFound, Invalid for what is no text to keep.
    """
    by.must(Act.CONFIGURE)
    _must_be_section(section)
    one_at_a_time(POLICY)
    return _keep(section, source, seen=seen, by=by, at=now)


@act
def add_pack_rules(section: str, *, seen: int, by: Actor, now: datetime) -> Draft:
    """Put what the standard pack has and the section lacks into the draft, which may be begun by that: nothing of it is
    in force. Raises NotFound where it lacks nothing, DraftMoved, Invalid for a draft that cannot be read.
    """
    by.must(Act.CONFIGURE)
    _must_be_section(section)
    one_at_a_time(POLICY)
    lacking = [rule for rule in rules_lacking() if rule.section == section]
    if not lacking:
        raise NotFound
    draft = Draft.objects.filter(section=section).first()
    text = draft.source if draft else section_of(PolicyRevision.objects.get(is_current=True).source, section)
    try:
        for rule in lacking:
            text = with_pack_rule(text, rule)
    except PolicyFaults as found:
        raise invalid(found) from None
    return _keep(section, text, seen=seen, by=by, at=now)


def _keep(section: str, source: str, *, seen: int, by: Actor, at: datetime) -> Draft:
    if len(source) > LONGEST_SECTION or "\x00" in source:
        raise Invalid(Fault("source", f"holds a null character or more than {LONGEST_SECTION} characters"))
    draft = Draft.objects.filter(section=section).first()
    if (draft.changes if draft else 0) != seen:
        raise DraftMoved
    draft = draft or Draft(
        tenant_id=by.tenant, section=section, based_on_id=current_policy().id, changed_at=at
    )
    draft.source, draft.changed_at, draft.changed_by = source, at, by.id
    draft.changes += 1
    draft.save()
    return draft


@act
def drop_draft(section: str, *, by: Actor, now: datetime) -> None:
    """Throw a draft away. Raises NotFound where there is none."""
    by.must(Act.CONFIGURE)
    _must_be_section(section)
    gone, _ = Draft.objects.filter(section=section).delete()
    if not gone:
        raise NotFound


@act
def publish_draft(section: str, *, seen: int, by: Actor, now: datetime) -> PolicyRevision:
    """Put a draft in force as a new revision: tickets that come in from now on go by it.

    Raises NotFound, DraftMoved, DraftBehind; Invalid naming line and column of each fault.
    """
    by.must(Act.CONFIGURE)
    _must_be_section(section)
    one_at_a_time(POLICY)
    draft = Draft.objects.filter(section=section).first()
    if draft is None:
        raise NotFound
    if draft.changes != seen:
        raise DraftMoved
    current = PolicyRevision.objects.get(is_current=True)
    based_on = PolicyRevision.objects.get(id=draft.based_on_id)
    if section_of(current.source, section) != section_of(based_on.source, section):
        raise DraftBehind
    revision = _revise(current, section, draft.source, by=by, at=now)
    draft.delete()
    return revision


@act
def write_section(
    section: str, source: str, *, by: Actor, now: datetime, expected: Expected = None
) -> PolicyRevision:
    """Put a section in force at once, as a program does that keeps its policy elsewhere. `expected` names revisions.

    Raises Invalid naming line and column of each fault.
    """
    by.must(Act.CONFIGURE)
    _must_be_section(section)
    one_at_a_time(POLICY)
    current = PolicyRevision.objects.get(is_current=True)
    must_stand_at(str(current.number), expected)
    return _revise(current, section, source, by=by, at=now)


@act
def write_fields(
    fields: Mapping[str, CustomField], *, by: Actor, now: datetime, expected: Expected = None
) -> PolicyRevision:
    """Say which fields of its own the tenant keeps on tickets. What stands in a field that goes, or changes its type,
    stays with the ticket and is as good as missing. `expected` names revisions.

    Raises Invalid naming each place, a rule that needs a field that goes among them.
    """
    by.must(Act.CONFIGURE)
    one_at_a_time(POLICY)
    current = PolicyRevision.objects.get(is_current=True)
    must_stand_at(str(current.number), expected)
    return save_revision(with_section(current.source, "fields", fields_text(fields)), by=by, at=now)


def check_rules(source: str) -> RoutingRules:
    """The rules as they would be read in the open tenant, naming its teams and posts. Raises PolicyFaults."""
    return read_routing(
        read_document(source, "routing"),
        fields=vocabulary(current_policy().fields),
        teams=[team.slug for team in people_queries.teams()],
        posts=[post.slug for post in people_queries.posts()],
    )


def rule_hints(source: str) -> tuple[PolicyFault, ...]:
    """What rules without faults ask for in vain in the open tenant. They can be put in force as they are."""
    skilled = Skilled(teams=people_queries.skills_by_team(), anywhere=people_queries.every_skill())
    return skill_hints(read_document(source, "routing"), skilled)


def _must_be_section(section: str) -> None:
    if section not in SECTIONS:
        raise NotFound


def _revise(current: PolicyRevision, section: str, source: str, *, by: Actor, at: datetime) -> PolicyRevision:
    try:
        if section == "routing":
            check_rules(source)  # with the places within the section, and by the tenant's teams and posts
        whole = with_section(current.source, section, source)
    except PolicyFaults as found:
        raise invalid(found) from None
    return save_revision(whole, by=by, at=at)


@act
def change_terms(
    customer_id: str, *, card: CustomerCard, by: Actor, now: datetime, expected: Expected = None
) -> Customer:
    """Write a customer's card; a new tier changes the promises that run for its tickets as the policy says.

    A resolved ticket notes the new tier too: it may be taken up again. Raises Invalid naming each field that
    cannot be used, and then nothing is changed.
    """
    by.must(Act.MANAGE_CUSTOMERS)
    found = people.customer_by(customer_id).id
    # Tickets first, then what stands around them: everybody locks in this order. A tier that looks the same now
    # may be another one once the customer is ours, so the tickets are locked for every tier that is given.
    locked = tickets.lock_tickets_of(found) if card.tier is not None else []
    customer = people.lock_customer(found)
    must_stand_at(customer.version, expected)
    before = people.audited_terms(customer)
    works = work_on(locked) if card.tier != customer.tier else []
    people.write_customer(customer, card)
    people.audit_customer(AuditAct.CUSTOMER_CHANGED, customer, card, before=before, by=by, at=now)
    for work in works:
        _change_tier(work, before["tier"], customer.tier, by=by, at=now)
    if works:
        close_work(*works, by=by, at=now)
    return customer


def _change_tier(work: Work, before: str, after: str, *, by: Actor, at: datetime) -> None:
    work.pass_time(to=at)  # what was due on the old terms is due
    work.desk.tier = after
    work.customer.tier = after
    work.log(EventKind.TERMS_CHANGED, by=by, at=at, before=before, after=after)
    work.happen(Occurrence.TERMS_CHANGED, at=at)
    work.pass_time(to=at)  # and what the new terms make due at once, too
