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
    "merged": pgettext_lazy("status", "merged"),
    "void": pgettext_lazy("status", "void"),
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
    "web": _("Web form"),
    "chat": _("Chat"),
    "phone": _("Phone"),
    "api": _("API"),
    "portal": _("Portal"),
}
BY_CHANNEL: Words = {  # after a name, inside a sentence
    "email": _("by email"),
    "web": _("by web form"),
    "chat": _("by chat"),
    "phone": _("by phone"),
    "api": _("through the API"),
    "portal": _("through the portal"),
}
CHANNEL_ICONS = {
    "email": "mail",
    "web": "web",
    "portal": "web",
    "chat": "chat",
    "phone": "phone",
    "api": "api",
}
LANGUAGES: Words = {"sv": _("Swedish"), "en": _("English"), "es": _("Spanish"), "de": _("German")}
SENTIMENTS: Words = {
    "angry": pgettext_lazy("mood", "angry"),
    "negative": pgettext_lazy("mood", "negative"),
    "neutral": pgettext_lazy("mood", "neutral"),
    "positive": pgettext_lazy("mood", "positive"),
}
WEIGHED_BY: Words = {  # what stands around a word of feeling and changes what it counts
    "strengthened": _("strengthened"),
    "weakened": _("weakened"),
    "shouted": _("in capitals"),
    "stretched": _("letters drawn out"),
    "exclaimed": _("exclaimed"),
    "negated": _("negated"),
    "wished": _("only wished for"),
    "asked": _("inside a question"),
    "before_but": _("before a “but”"),
    "after_but": _("after a “but”"),
}
METRICS: Words = {
    "first_response": _("First response"),
    "next_response": _("Next response"),
    "resolution": _("Resolution"),
    "update": pgettext_lazy("metric", "Update"),
    "communication": _("Communication"),
    "callback": _("Callback"),
    "assignment": _("Assignment"),
    "ownership": _("Ownership"),
    "ownership_response": _("Response of the level"),
}
CATEGORIES: Words = {
    "billing": _("Billing"),
    "technical": _("Technical"),
    "account": _("Account"),
    "feature": _("Feature"),
    "integration": _("Integration"),
    "security": _("Security"),
}
SUBCATEGORIES: Words = {  # of the standard pack; a tenant's own are said as they are written
    "data_breach": _("data breach"),
    "account_takeover": _("account takeover"),
    "vulnerability": _("vulnerability"),
    "phishing": _("phishing"),
    "refund": _("refund"),
    "invoice": _("invoice"),
    "payment_failure": _("failed payment"),
    "double_charge": _("double charge"),
    "plan_change": _("change of plan"),
    "cancellation": _("cancellation"),
    "rate_limit": _("rate limit"),
    "webhook": _("webhook"),
    "authentication": _("authentication"),
    "failure": _("failing calls"),
    "password_reset": _("password reset"),
    "lockout": _("locked out"),
    "two_factor": _("two-factor"),
    "permissions": _("permissions"),
    "outage": _("outage"),
    "data_loss": _("data loss"),
    "performance": _("performance"),
    "crash": _("crash"),
    "export": _("export"),
    "cosmetic": _("cosmetic"),
    "how_to": _("how to"),
    "feature_request": _("feature request"),
    "documentation": _("documentation"),
}
WAIT_REASONS: Words = {
    "customer": _("The customer"),
    "third_party": _("Someone outside, such as a supplier"),
    "maintenance": _("Planned maintenance"),
    "customer_asked": _("The customer asked us to wait"),
}
GRADES: Words = {  # of impact and urgency
    "high": pgettext_lazy("grade", "high"),
    "medium": pgettext_lazy("grade", "medium"),
    "low": pgettext_lazy("grade", "low"),
}
STRATEGIES: Words = {
    "round_robin": _("The next in turn"),
    "least_loaded": _("The least loaded"),
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
TARGETS: Words = {  # whom a step tells: a place on the ticket, or a post
    "assignee": _("assignee"),
    "team_lead": _("team lead"),
    "on_call": _("on call"),
    "next_level": _("next level"),
    "support_lead": _("support lead"),
    "support_manager": _("support manager"),
    "director": _("director"),
    "vp": _("vice president"),
    "account_manager": _("account manager"),
    "security_lead": _("security lead"),
    "ciso": _("CISO"),
    "cto": _("CTO"),
    "legal": _("legal"),
    "cs_director": _("customer success director"),
    "cs_lead": _("customer success lead"),
    "marketing_lead": _("marketing lead"),
    "escalation_owner": _("escalation owner"),
    "callback_ops": _("callback ops"),
    "automation_owner": _("automation owner"),
    "quality_owner": _("quality owner"),
    "experience_owner": _("experience owner"),
    "backup_owner": _("backup owner"),
    "manager_escalation": _("manager for escalations"),
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
