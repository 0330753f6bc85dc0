"""The words of in-app notices."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _


def notice_words(template: str, data: Mapping[str, Any], *, number: int, subject: str) -> str:
    """What happened, in one line."""
    said = {
        "agent_assigned": _("#{number} is yours: {subject}"),
        "agent_notified": _("To know of, #{number}: {subject}"),
        "agent_copied": _("For your information, #{number}: {subject}"),
        "agent_customer_wrote": _("The customer wrote on #{number}: {subject}"),
        "agent_merged": _("#{other} was merged into #{number}: {subject}"),
        "agent_warned": _("{step}% spent on #{number}: {subject}"),
        "agent_escalated": _("Escalated to you, #{number}: {subject}"),
    }.get(template, "#{number} {subject}")
    return said.format(
        number=number, subject=subject, step=data.get("step", ""), other=data.get("number", "")
    )


def times(said: str, count: int) -> str:
    """The same news more than once."""
    return _("{words} ({count} times)").format(words=said, count=count) if count > 1 else said


def notice_state(template: str, data: Mapping[str, Any]) -> str:
    """The glyph: time at risk and nothing else."""
    if template == "agent_escalated":
        return "critical"
    if template == "agent_warned":
        return "critical" if int(data.get("step", 0)) >= 100 else "warning"
    return ""
