"""The audit log: acts with their seals, one of them broken."""

from flowdesk.web.audit.page import AuditPage, AuditRow
from flowdesk.web.audit.words import NOTHING_YET, SEALS, sealed_words
from flowdesk.web.parts import Choice, Empty, Field, Form, Kind
from flowdesk.web.vocabulary import say


def _row(number: int, words: str, thing: str, *change: tuple[str, str, str], seal: str = "holds") -> AuditRow:
    return AuditRow(
        at="2026-06-18T09:40:00+02:00", when="09:40", who="Ada Lind", words=words, thing=thing, change=change,
        number="" if seal == "waiting" else str(number), seal=seal, seal_words=say(SEALS, seal),
    )  # fmt: skip


def an_audit_page() -> AuditPage:
    return AuditPage(
        sealed_words=sealed_words(214, "09:40"),
        rows=(
            _row(
                215,
                "API key made",
                "API key Exports for billing",
                ("scopes", "", "read, audit"),
                seal="waiting",
            ),
            _row(214, "Customer changed", "customer Nordvik Retail", ("tier", "starter", "enterprise")),
            _row(213, "Policy revised", "policy revision #7", ("number", "6", "7"), seal="broken"),
        ),
        filters=(
            Field(name="act", label="Act", kind=Kind.SELECT, choices=(Choice(value="", words="All acts"),)),
            Field(name="who", label="By", kind=Kind.SELECT, choices=(Choice(value="", words="Everybody"),)),
            Field(name="since", label="From", kind=Kind.DATE, value="2026-06-01"),
            Field(name="until", label="Until", kind=Kind.DATE),
        ),
        href="/flow/settings/audit",
        filters_set=1,
        broken=1,
        more_href="/flow/settings/audit?before=17",
        export=Form(id="export", href="/flow/settings/audit/export", submit="Export as CSV"),
    )


def an_empty_audit_page() -> AuditPage:
    title, words = NOTHING_YET
    return AuditPage(
        sealed_words=sealed_words(None, ""), rows=(), filters=(), href="/flow/settings/audit",
        empty=Empty(title=str(title), words=str(words)),
    )  # fmt: skip
