"""The acts on a ticket as forms: their questions and words; what is allowed and valid is decided elsewhere.

Field names are the contract with the views: `assignee`, `reason`, `note`, `until_minutes`, `code`, `summary`,
`priority`, `target`. `Form.answered(values, errors)` gives the form back for a 422.
"""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flowdesk.web.parts import Action, Choice, Field, Form, Kind
from flowdesk.web.vocabulary import GRADES, PRIORITIES, WAIT_REASONS, say

NOTE_LENGTH = 500


def _form(name: str, href: str, submit: str, *fields: Field, hint: str = "", seen: str | None = None) -> Form:
    return Form(
        id=f"{name}-form",
        href=href,
        submit=submit,
        title=submit,
        hint=hint,
        fields=fields,
        # What the act changes, as the reader saw it: nobody changes unseen what somebody else has set meanwhile.
        hidden=() if seen is None else (("seen", seen),),
    )


def _note(*, is_required: bool = False, hint: str = "") -> Field:
    return Field(
        name="note",
        label=_("Note to colleagues"),
        kind=Kind.LONG,
        is_required=is_required,
        hint=hint,
        max_length=NOTE_LENGTH,
    )


def take(href: str, *, holder: str) -> Action:
    """Make the ticket mine; asks nothing, and says who had it when it was looked at."""
    return Action(words=_("Take"), icon="user", key="i", form=_form("take", href, _("Take"), seen=holder))


def assign(href: str, *, people: Iterable[Choice], holder: str) -> Action:
    """Give the ticket to someone; the empty choice puts it back in the queue. Says who had it, "" for nobody."""
    return Action(
        words=_("Assign"),
        icon="assign",
        key="a",
        form=_form(
            "assign",
            href,
            _("Assign"),
            Field(name="assignee", label=_("Who answers for it"), kind=Kind.SELECT, choices=tuple(people)),
            seen=holder,
        ),
    )


def wait(href: str, *, reasons: Sequence[str] = (), limits: Sequence[int] = ()) -> Action:
    """Give someone else the next move, for at most so many minutes (business time)."""
    return Action(
        words=_("Wait"),
        icon="flag",
        key="s",
        form=_form(
            "wait",
            href,
            _("Start waiting"),
            Field(
                name="reason",
                label=_("Who has the next move"),
                kind=Kind.SELECT,
                is_required=True,
                choices=tuple(
                    Choice(value=reason, words=say(WAIT_REASONS, reason))
                    for reason in reasons or WAIT_REASONS
                ),
            ),
            Field(
                name="until_minutes",
                label=_("At most"),
                kind=Kind.SELECT,
                choices=tuple(
                    Choice(value=str(minutes), words=limit_words(minutes)) for minutes in limits or LIMITS
                ),
                hint=_("In business time. The wait ends itself then."),
            ),
            _note(hint=_("Needed when someone outside has the next move, such as their case number.")),
            hint=_("Resolution stands still while we wait."),
        ),
    )


LIMITS = (60, 120, 240, 480, 960, 2400)  # business minutes: a day of the default calendar has 480


def limit_words(minutes: int) -> str:
    """A limit in whole business days of eight hours, else in hours."""
    days, rest = divmod(minutes, 480)
    if days and not rest:
        return ngettext("{n} business day", "{n} business days", days).format(n=days)
    hours = max(1, minutes // 60)
    return ngettext("{n} hour", "{n} hours", hours).format(n=hours)


def resume(href: str) -> Action:
    """End a wait; asks nothing."""
    return Action(words=_("Resume"), icon="play", key="s", form=_form("resume", href, _("Resume")))


def resolve(href: str, *, codes: Iterable[Choice] = ()) -> Action:
    """Say that the case is settled, and how."""
    codes = tuple(codes)
    questions: tuple[Field, ...] = (
        Field(
            name="summary",
            label=_("What settled it"),
            kind=Kind.LONG,
            is_required=True,
            hint=_("Colleagues find it the next time this happens."),
            max_length=2000,
        ),
    )
    if codes:
        cause = Field(name="code", label=_("Cause"), kind=Kind.SELECT, choices=codes)
        questions = (cause, *questions)
    return Action(
        words=_("Resolve"),
        icon="check",
        is_quiet=True,
        form=_form("resolve", href, _("Resolve"), *questions),
    )


def merge(href: str) -> Action:
    """Let another ticket stand for this one."""
    return Action(
        words=_("Merge"),
        icon="right",
        is_quiet=True,
        form=_form(
            "merge",
            href,
            _("Merge"),
            Field(
                name="into",
                label=_("Into which ticket"),
                is_required=True,
                hint=_("Its number, such as #12. What is said here shows there, and what comes later lands there."),
                max_length=24,
            ),
            Field(
                name="earliest", label=_("Count its promises from the earlier of the two starts"), kind=Kind.CHECK
            ),
            Field(
                name="across_customers",
                label=_("The other ticket may be another customer's: both will see each other's words"),
                kind=Kind.CHECK,
            ),
            hint=_("It can be undone."),
        ),
    )  # fmt: skip


def merge_into(href: str, *, number: int) -> Form:
    """The same for a ticket that is at hand; asks nothing."""
    return Form(
        id=f"merge-into-{number}", href=href, submit=_("Merge into this"), hidden=(("into", str(number)),)
    )


def unmerge(href: str, *, number: int, back: str) -> Form:
    """Take a ticket out of another again."""
    return Form(id=f"unmerge-{number}", href=href, submit=_("Undo the merge"), hidden=(("back", back),))


def reopen(href: str) -> Action:
    """Take the case up again."""
    return Action(
        words=_("Reopen"),
        icon="undo",
        form=_form(
            "reopen",
            href,
            _("Reopen"),
            _note(is_required=True, hint=_("Why it is not settled.")),
        ),
    )


def set_priority(href: str, *, current: int) -> Action:
    """Overrule the computed priority, with a reason; targets follow the policy."""
    return Action(
        words=_("Priority"),
        icon="bolt",
        key="p",
        form=_form(
            "priority",
            href,
            _("Set priority"),
            Field(
                name="priority",
                label=_("Priority"),
                kind=Kind.SELECT,
                is_required=True,
                choices=tuple(
                    Choice(value=value, words=str(words), is_chosen=value == str(current))
                    for value, words in PRIORITIES.items()
                ),
            ),
            _note(is_required=True, hint=_("Running clocks get the new target from their start.")),
            seen=str(current),
        ),
    )


def classify(
    href: str, *, categories: Iterable[Choice], impact: str, urgency: str, complexity: int
) -> Action:
    """Say what the ticket is; what triage read stands until then."""
    levels = ((1, _("1, a question")), (2, _("2, technical")), (3, _("3, for engineering")))
    return Action(
        words=_("Classify"),
        icon="eye",
        is_quiet=True,
        form=_form(
            "classify",
            href,
            _("Save the classification"),
            Field(name="category", label=_("Category"), kind=Kind.SELECT, choices=tuple(categories)),
            Field(name="impact", label=_("Impact"), kind=Kind.SELECT, choices=_grades(impact)),
            Field(name="urgency", label=_("Urgency"), kind=Kind.SELECT, choices=_grades(urgency)),
            Field(
                name="complexity",
                label=_("Complexity"),
                kind=Kind.SELECT,
                choices=tuple(
                    Choice(value=str(level), words=said, is_chosen=level == complexity)
                    for level, said in levels
                ),
            ),
            Field(name="reroute", label=_("Ask the rules again who works on it"), kind=Kind.CHECK),
            hint=_("The priority follows, unless somebody set it by hand."),
        ),
    )


def fill_in(href: str, *, questions: Iterable[Field]) -> Form:
    """The desk's own fields of a ticket; an empty answer empties its field."""
    return Form(id="fields-form", href=href, submit=_("Save the fields"), fields=tuple(questions))


def _grades(chosen: str) -> tuple[Choice, ...]:
    return tuple(
        Choice(value=grade, words=say(GRADES, grade), is_chosen=grade[0].upper() == chosen)
        for grade in GRADES
    )


def escalate(href: str, *, targets: Iterable[Choice]) -> Action:
    """Ask the next level, or a post, to take it."""
    return Action(
        words=_("Escalate"),
        icon="escalate",
        key="e",
        form=_form(
            "escalate",
            href,
            _("Escalate"),
            Field(
                name="target", label=_("To whom"), kind=Kind.SELECT, is_required=True, choices=tuple(targets)
            ),
            _note(is_required=True, hint=_("What they need to know to begin.")),
        ),
    )


def acknowledge(href: str) -> Form:
    """Take an escalation: the climb stops."""
    return _form("acknowledge", href, _("Acknowledge"))
