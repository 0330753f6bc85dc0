"""Compile the catalogues: `python -m flowdesk.web.locale_build` writes each django.mo beside its django.po.

One catalogue a language holds the sentences of pages and mails alike: the same word must not differ between them.

Written in plain Python so that a machine without GNU gettext can do it. The .mo files are committed; a test
compares them with what this would write.
"""

import ast
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LOCALE = Path(__file__).parents[1] / "locale"

MAGIC = 0x950412DE
HEADER_WORDS = 7


class BadCatalogue(ValueError):
    """A line of a .po file that cannot be read; the message names file and line."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One message of a catalogue with its translations, by plural form."""

    context: str | None = None
    singular: str = ""
    plural: str | None = None
    said: dict[int, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The message as the .mo format looks it up."""
        key = self.singular if self.plural is None else f"{self.singular}\0{self.plural}"
        return key if self.context is None else f"{self.context}\4{key}"

    @property
    def value(self) -> str:
        return "\0".join(self.said[form] for form in sorted(self.said))

    @property
    def is_translated(self) -> bool:
        return bool(self.said) and all(self.said.values())


def read_catalogue(path: Path) -> list[Entry]:
    """The entries of a .po file in order, the header (empty message) first."""
    return list(_entries(path))


def _entries(path: Path) -> Iterator[Entry]:
    entry, into = Entry(), ""
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        keyword, _space, quoted = line.partition(" ") if not line.startswith('"') else (into, "", line)
        if keyword in ("msgctxt", "msgid") and keyword != into and entry.said:
            yield entry
            entry = Entry()
        into = keyword
        try:
            _append(entry, keyword, ast.literal_eval(quoted))
        except (SyntaxError, ValueError) as error:
            raise BadCatalogue(f"{path}:{number}: {raw}") from error
    if entry.said:
        yield entry


def _append(entry: Entry, keyword: str, text: str) -> None:
    """Add to the part a line belongs to: a part may run over several quoted lines."""
    match keyword:
        case "msgctxt":
            entry.context = (entry.context or "") + text
        case "msgid":
            entry.singular += text
        case "msgid_plural":
            entry.plural = (entry.plural or "") + text
        case "msgstr":
            entry.said[0] = entry.said.get(0, "") + text
        case _ if keyword.startswith("msgstr[") and keyword.endswith("]"):
            form = int(keyword[7:-1])
            entry.said[form] = entry.said.get(form, "") + text
        case _:
            raise ValueError(keyword)


def compile_catalogue(entries: list[Entry]) -> bytes:
    """The .mo file: two tables of (length, offset) over sorted keys, then the zero-ended texts."""
    pairs = sorted((entry.key.encode(), entry.value.encode()) for entry in entries if entry.is_translated)
    keys_at = HEADER_WORDS * 4
    values_at = keys_at + 8 * len(pairs)
    offset = values_at + 8 * len(pairs)
    tables, texts = b"", b""
    for text in [key for key, _value in pairs] + [value for _key, value in pairs]:
        tables += struct.pack("<II", len(text), offset)
        texts += text + b"\0"
        offset += len(text) + 1
    header = struct.pack("<7I", MAGIC, 0, len(pairs), keys_at, values_at, 0, values_at)
    return header + tables + texts


def main() -> int:
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        source.with_suffix(".mo").write_bytes(compile_catalogue(read_catalogue(source)))
        sys.stdout.write(f"{source.with_suffix('.mo').relative_to(LOCALE)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
