"""The mood of a new ticket reaches its rules, its priority and the page that explains it."""

from dataclasses import replace

import pytest
from django.utils import translation

from flowdesk.core.tenant import reading
from flowdesk.engine.facts import Priority, Sentiment, TicketFacts
from flowdesk.flows import receive
from flowdesk.policies.services import PolicyDocument, current_policy
from flowdesk.tickets.models import Explanation, Ticket
from flowdesk.triage.services import classify_ticket
from flowdesk.web.ticket.why import why_of
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

ANGRY_WITHOUT_A_SIGNAL = "You are a bunch of liars, I am livid"


@pytest.fixture
def world() -> World:
    return a_world()


@pytest.fixture
def policy(world: World) -> PolicyDocument:
    with reading(world.tenant.id):
        return current_policy()


def facts(text: str) -> TicketFacts:
    return TicketFacts(subject="Hello", text=text, customer_tier="professional")


def test_the_facts_that_rules_see_hold_the_mood(policy: PolicyDocument) -> None:
    assert classify_ticket(facts(ANGRY_WITHOUT_A_SIGNAL), policy).facts.sentiment is Sentiment.ANGRY
    assert classify_ticket(facts("Where is it?"), policy).facts.sentiment is Sentiment.NEUTRAL


def test_anger_lifts_once_whether_mood_signal_or_both_tell_of_it(policy: PolicyDocument) -> None:
    calm, mood, both = (
        classify_ticket(facts(text), policy)
        for text in ("Where is it?", ANGRY_WITHOUT_A_SIGNAL, "This is unacceptable, I am furious")
    )

    assert (mood.facts.signals, both.facts.signals) == (frozenset(), {"frustration"})
    assert (calm.priority.priority, mood.priority.priority, both.priority.priority) == (
        Priority.P3, Priority.P2, Priority.P2,
    )  # fmt: skip


def test_a_mood_somebody_stated_stands(policy: PolicyDocument) -> None:
    stated = replace(facts(ANGRY_WITHOUT_A_SIGNAL), sentiment=Sentiment.NEUTRAL)

    assert classify_ticket(stated, policy).facts.sentiment is Sentiment.NEUTRAL


def test_a_tenants_own_word_counts(policy: PolicyDocument) -> None:
    own = replace(policy, triage=replace(policy.triage, sentiment_words=(("blursed", -5.0),)))

    assert classify_ticket(facts("so blursed"), own).facts.sentiment is Sentiment.ANGRY
    assert classify_ticket(facts("so blursed"), policy).facts.sentiment is Sentiment.NEUTRAL


def test_the_page_says_which_words_counted_for_what(world: World) -> None:
    a_customer(world)
    opened = receive.open_ticket(
        a_message(text="I am very disappointed. The export crashes."), by=world.bo, now=MONDAY_9
    )

    with reading(world.tenant.id):
        ticket = Ticket.objects.select_related("customer").get(number=opened.number)
        explained = list(Explanation.objects.filter(ticket=ticket))
        policy = current_policy()
        told = {}
        for language in ("en", "sv"):
            with translation.override(language):
                told[language] = {
                    why.title: [line.words for line in why.lines]
                    for why in why_of(ticket, explained, (), policy, names={})
                }

    assert told["en"]["Mood negative"][:2] == [
        "“disappoint” weighs -3 and counts -3.9: strengthened.",
        "“crash” weighs -0.5.",
    ]
    assert told["sv"]["Humör: negativt"][0] == "”disappoint” väger -3 och räknas som -3.9: förstärkt."


def test_an_explanation_of_before_moods_is_still_shown(world: World) -> None:
    a_customer(world)
    opened = receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)

    with reading(world.tenant.id):
        ticket = Ticket.objects.select_related("customer").get(number=opened.number)
        explained = list(Explanation.objects.filter(ticket=ticket))
        for one in explained:
            one.trace.pop("sentiment", None)
        titles = [why.title for why in why_of(ticket, explained, (), current_policy(), names={})]

    assert not any(title.startswith("Mood") for title in titles)
    assert len(titles) == 5
