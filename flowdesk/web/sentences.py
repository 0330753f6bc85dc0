"""Sentences that floors below the pages give, known again and said as a page says them, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from django.utils.functional import Promise


class Sentences:
    """Each as it is given, `{…}` standing for a value, with what a page says instead; values are kept.

    Where several fit, the first one is taken. One that nobody knows says itself.
    """

    def __init__(self, sentences: Mapping[str, str | Promise]) -> None:
        self._plain = {given: said for given, said in sentences.items() if "{" not in given}
        self._patterns = [
            (re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(given)), re.DOTALL), said)
            for given, said in sentences.items()
            if "{" in given
        ]

    def said(self, given: str, value: Callable[[str, str], str] = lambda name, text: text) -> str:
        """`value` says each value, by its name."""
        if (plain := self._plain.get(given)) is not None:
            return str(plain)
        for pattern, said in self._patterns:
            if found := pattern.fullmatch(given):
                return str(said).format(
                    **{name: value(name, text) for name, text in found.groupdict().items()}
                )
        return given
