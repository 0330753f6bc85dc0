"""The trade's words for stored values, in the reader's language; keys are what the database holds."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Words = Mapping[str, str | Promise]

STATUSES: Words = {
    "new": pgettext_lazy("status", "new"),
    "open": pgettext_lazy("status", "open"),
    "pending": pgettext_lazy("status", "waiting for customer"),
    "on_hold": pgettext_lazy("status", "on hold"),
    "resolved": pgettext_lazy("status", "resolved"),
    "closed": pgettext_lazy("status", "closed"),
}
PRIORITIES: Words = {
    "1": _("P1, critical"),
    "2": _("P2, high"),
    "3": _("P3, medium"),
    "4": _("P4, low"),
}
TIERS: Words = {
    "enterprise": _("Enterprise"),
    "professional": _("Professional"),
    "starter": _("Starter"),
    "free": pgettext_lazy("tier", "Free"),
}
CHANNELS: Words = {
    "email": _("Email"),
    "form": _("Web form"),
    "chat": _("Chat"),
    "phone": _("Phone"),
    "api": _("API"),
}
BY_CHANNEL: Words = {  # after a name, inside a sentence
    "email": _("by email"),
    "form": _("by web form"),
    "chat": _("by chat"),
    "phone": _("by phone"),
    "api": _("through the API"),
}
CHANNEL_ICONS = {"email": "mail", "form": "web", "chat": "chat", "phone": "phone", "api": "api"}
LANGUAGES: Words = {"sv": _("Swedish"), "en": _("English")}
METRICS: Words = {
    "first_response": _("First response"),
    "next_response": _("Next response"),
    "resolution": _("Resolution"),
    "update": pgettext_lazy("metric", "Update"),
    "communication": _("Communication"),
    "callback": _("Callback"),
    "assignment": _("Assignment"),
    "ownership": _("Ownership"),
}
CATEGORIES: Words = {
    "billing": _("Billing"),
    "technical": _("Technical"),
    "account": _("Account"),
    "feature": _("Feature"),
    "integration": _("Integration"),
    "security": _("Security"),
}
WAIT_REASONS: Words = {
    "customer": _("The customer"),
    "third_party": _("Someone outside, such as a supplier"),
    "maintenance": _("Planned maintenance"),
    "customer_asked": _("The customer asked us to wait"),
}
SEVERITIES: Words = {"ok": _("ok"), "warning": _("warning"), "critical": _("critical")}
PRESSURES: Words = {
    "low": pgettext_lazy("pressure", "low"),
    "medium": pgettext_lazy("pressure", "medium"),
    "high": pgettext_lazy("pressure", "high"),
    "critical": pgettext_lazy("pressure", "critical"),
}
OWNERS: Words = {
    "support_lead": _("Support lead"),
    "escalation_owner": _("Escalation owner"),
    "callback_ops": _("Callback ops"),
    "automation_owner": _("Automation owner"),
    "quality_owner": _("Quality owner"),
    "experience_owner": _("Experience owner"),
    "backup_owner": _("Backup owner"),
}
ROLES: Words = {
    "agent": _("Agent"),
    "lead": _("Team lead"),
    "manager": _("Manager"),
    "admin": _("Admin"),
    "auditor": _("Auditor"),
}


def say(words: Words, value: str) -> str:
    """The word for a value; a value without one (a tenant's own category) says itself."""
    return str(words.get(value, value))
