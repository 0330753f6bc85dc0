"""Every mail speaks Swedish as well as English."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template import Node, engines
from django.template.base import NodeList
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation

import flowdesk.notifications
from flowdesk.web.locale_build import compile_catalogue, read_catalogue

HOME = Path(flowdesk.notifications.__file__).parent
SWEDISH = HOME / "locale" / "sv" / "LC_MESSAGES" / "django.po"
TEMPLATES = sorted(path.stem for path in (HOME / "templates" / "notifications").glob("*.txt"))


def nodes(of: NodeList) -> Iterator[Node]:
    for node in of:
        yield node
        for name in node.child_nodelists:
            yield from nodes(getattr(node, name, None) or NodeList())


def messages(template: str) -> set[str]:
    """Every sentence a mail can say."""
    read = engines["django"].get_template(f"notifications/{template}.txt").template  # type: ignore[attr-defined]
    said = set()
    for node in nodes(read.nodelist):
        if isinstance(node, TranslateNode):
            said.add(str(node.filter_expression.var)[1:-1])  # as it is written, in quotes
        elif isinstance(node, BlockTranslateNode):
            said.add(node.render_token_list(node.singular)[0])
    return said


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_mail_has_a_swedish_sentence_for_every_english_one(template: str) -> None:
    known = {entry.singular for entry in read_catalogue(SWEDISH) if entry.is_translated}

    assert messages(template) - known == set()


def test_the_catalogue_says_nothing_that_no_mail_says() -> None:
    said = set().union(*(messages(template) for template in TEMPLATES))

    assert {entry.singular for entry in read_catalogue(SWEDISH) if entry.singular} - said == set()


def test_the_compiled_catalogue_is_the_one_in_the_tree() -> None:
    assert SWEDISH.with_suffix(".mo").read_bytes() == compile_catalogue(read_catalogue(SWEDISH))


def test_the_catalogue_speaks() -> None:
    with translation.override("sv"):
        assert translation.gettext("Hello %(name)s,") == "Hej %(name)s,"
