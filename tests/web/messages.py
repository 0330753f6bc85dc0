"""Every sentence that pages and mails can say, found with `ast` in code and Django's own parser in templates."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.template import Node, engines
from django.template.base import NodeList
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

PACKAGE = Path(__file__).parents[2] / "flowdesk"
Message = tuple[str, str, str]  # context, singular, plural

PLAIN = {"gettext", "gettext_lazy", "_"}
PLURAL = {"ngettext", "ngettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy"}


def in_code() -> Iterator[tuple[Message, str]]:
    """Messages of the Python files, with the file that says them."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            said = [
                argument.value
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ]
            where = str(path.relative_to(PACKAGE))
            if node.func.id in PLAIN and len(said) == 1:
                yield ("", said[0], ""), where
            elif node.func.id in PLURAL and len(said) == 2:
                yield ("", said[0], said[1]), where
            elif node.func.id in CONTEXT and len(said) == 2:
                yield (said[0], said[1], ""), where


def in_templates() -> Iterator[tuple[Message, str]]:
    """Messages of the templates, with the template that says them."""
    for path in sorted(PACKAGE.glob("*/templates/**/*.*")):
        name = path.as_posix().partition("/templates/")[2]
        template = engines["django"].get_template(name).template  # type: ignore[attr-defined]
        for node in _nodes(template.nodelist):
            if isinstance(node, TranslateNode):
                context = node.message_context.var if node.message_context else ""
                yield (str(context), str(node.filter_expression.var)[1:-1], ""), name
            elif isinstance(node, BlockTranslateNode):
                singular, _names = node.render_token_list(node.singular)
                plural, _names = node.render_token_list(node.plural) if node.plural else ("", [])
                context = node.message_context.var if node.message_context else ""
                yield (str(context), singular, plural), name


def _nodes(nodes: NodeList) -> Iterator[Node]:
    for node in nodes:
        yield node
        for name in node.child_nodelists:
            yield from _nodes(getattr(node, name, None) or NodeList())


def every_message() -> dict[Message, list[str]]:
    """All messages, each with the places that say it."""
    found: dict[Message, list[str]] = {}
    for message, where in (*in_code(), *in_templates()):
        found.setdefault(message, []).append(where)
    return found
