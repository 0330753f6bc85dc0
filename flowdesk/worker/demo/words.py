"""Puts the demo's phrases into letters."""

from random import Random

from flowdesk.worker.demo.sample import Library, Opening
from flowdesk.worker.demo.stage import Guest


def first_letter(opening: Opening, guest: Guest, library: Library) -> str:
    """The words of a new ticket, with a greeting and a name under them."""
    hello = "Hej!" if opening.language == "sv" else "Hello,"
    return f"{hello}\n\n{opening.text}\n\n{guest.name}\n{guest.customer}"


def answer(kind: str, *, language: str, to: str, agent: str, library: Library, chance: Random) -> str:
    """An agent's letter: what it is about, between a greeting and a name."""
    phrases = _phrases(language, library)
    return "\n\n".join(
        (
            str(phrases["greeting"]).format(name=to.split()[0]),
            chance.choice(phrases[kind]),
            str(phrases["closing"]).format(agent=agent.split()[0]),
        )
    )


def line(kind: str, *, language: str, library: Library, chance: Random) -> str:
    """A customer's further words, or a note among colleagues."""
    return str(chance.choice(_phrases(language, library)[kind]))


def _phrases(language: str, library: Library) -> dict[str, list[str]]:
    return dict(library.phrases.get(language) or library.phrases["en"])
