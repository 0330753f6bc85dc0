"""The words of the audit page."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from flowdesk.web.vocabulary import Words

ACTS: Words = {
    "key_created": _("API key made"),
    "key_revoked": _("API key revoked"),
    "member_added": _("Member added"),
    "logged_in": _("Came in"),
    "login_failed": _("Login refused"),
    "locked_out": _("Locked out"),
    "logged_out": _("Went out"),
    "session_ended": _("Session ended"),
    "password_changed": _("Password changed"),
    "password_link_made": _("Link for a new password made"),
    "profile_changed": _("Profile changed"),
    "member_invited": _("Member invited"),
    "member_disabled": _("Member shut out"),
    "member_enabled": _("Member let in again"),
    "policy_revised": _("Policy revised"),
    "customer_created": _("Customer created"),
    "customer_changed": _("Customer changed"),
    "contact_added": _("Contact added"),
    "contact_changed": _("Contact changed"),
    "automation_run": _("Automation started"),
    "training_begun": _("Training begun"),
    "model_promoted": _("Model in use"),
    "model_put_aside": _("Model put aside"),
    "agent_changed": _("Agent changed"),
    "absence_begun": _("Absence noted"),
    "absence_ended": _("Absence ended"),
    "team_evened_out": _("Team evened out"),
    "assignments_undone": _("Assignments taken back"),
    "launch_report_published": _("Launch report published"),
    "tickets_imported": _("Tickets imported"),
    "import_begun": _("Import begun"),
    "import_ended": _("Import ended"),
    "audit_exported": _("Audit log exported"),
}
THINGS: Words = {
    "api_key": _("API key"),
    "user": _("person"),
    "policy_revision": _("policy revision"),
    "customer": _("customer"),
    "contact": _("contact"),
    "automation_run": _("automation run"),
    "launch_report": _("launch report"),
    "agent": _("agent"),
    "model": _("model"),
    "bulk": _("assignments made together"),
    "ticket": _("ticket"),
    "audit": _("audit log"),
    "import": _("import"),
}
SEALS: Words = {
    "waiting": pgettext_lazy("seal", "waits"),
    "holds": pgettext_lazy("seal", "holds"),
    "broken": pgettext_lazy("seal", "broken"),
}
KINDS: Words = {
    "user": _("Somebody"),
    "api_key": _("API key"),
    "contact": _("A contact"),
    "system": _("Flowdesk"),
}
NOTHING_YET: tuple[str | Promise, str | Promise] = (
    _("Nothing to show"),
    _("Acts of configuration, access and export are listed here as they happen."),
)


def sealed_words(number: int | None, when: str) -> str:
    """How far the log is sealed."""
    if number is None:
        return _now("Nothing is sealed yet.")
    return ngettext("{n} act is sealed, {when}.", "{n} acts are sealed, the last {when}.", number).format(
        n=number, when=when
    )
