"""The words of a ticket's life."""

from enum import StrEnum


class Status(StrEnum):
    NEW = "new"
    OPEN = "open"
    PENDING = "pending"  # the customer's move
    ON_HOLD = "on_hold"  # a third party's move, maintenance, or a wait the customer asked for
    RESOLVED = "resolved"
    CLOSED = "closed"
    VOID = "void"  # spam, test, deleted


ACTIVE = (Status.NEW, Status.OPEN, Status.PENDING, Status.ON_HOLD)
WORKABLE = (Status.NEW, Status.OPEN)


class Channel(StrEnum):
    """How words travel (F-INT-01)."""

    EMAIL = "email"
    WEB = "web"
    CHAT = "chat"
    PHONE = "phone"
    API = "api"
    PORTAL = "portal"


class TaskKind(StrEnum):
    """What can be asked of an agent about a ticket."""

    FIRST_INVESTIGATION = "first_investigation"


class TaskOutcome(StrEnum):
    DONE = "done"
    HANDED_ON = "handed_on"  # the ticket went to somebody else, and the task with it
    DROPPED = "dropped"  # the ticket was settled or set aside before


class EventKind(StrEnum):
    """What the log of a ticket can say; data of an event are ids and enumerations, never text or addresses."""

    TICKET_OPENED = "ticket_opened"
    CUSTOMER_WROTE = "customer_wrote"
    AGENT_REPLIED = "agent_replied"
    NOTE_ADDED = "note_added"
    TICKET_TRIAGED = "ticket_triaged"
    TICKET_ROUTED = "ticket_routed"
    TICKET_ASSIGNED = "ticket_assigned"
    TICKET_UNASSIGNED = "ticket_unassigned"
    TASK_OPENED = "task_opened"
    TASK_ENDED = "task_ended"
    LEVEL_CHANGED = "level_changed"
    PRIORITY_CHANGED = "priority_changed"
    TERMS_CHANGED = "terms_changed"  # tier or contract
    WAIT_STARTED = "wait_started"
    WAIT_ENDED = "wait_ended"
    WAIT_REMINDED = "wait_reminded"
    TICKET_RESOLVED = "ticket_resolved"
    TICKET_REOPENED = "ticket_reopened"
    TICKET_CLOSED = "ticket_closed"
    TICKET_VOIDED = "ticket_voided"
    STEP_FIRED = "step_fired"
    TICKET_ESCALATED = "ticket_escalated"
    ESCALATION_ACKNOWLEDGED = "escalation_acknowledged"
    WAKE_FAILED = "wake_failed"
