"""Tells a mere thank-you from words that want something: it starts no clock and reopens nothing."""

import re

_WORD = re.compile(r"[^\W\d_]+")
_THANKS = frozenset(["thanks", "thank", "thx", "ty", "cheers", "tack", "tackar", "tacksam", "tackas"])
_AROUND_WORDS = """
a again all and appreciate av awesome best bra brilliant bye cool dear den det du em en er ett
fantastic fin fint for fungerar för good great grymt ha happy har hej hello help helped helping hi
hjälp hjälpen hälsningar i is it its jag jättebra kan kind kram lot lots lovely löst many med much
mvh my mycket möda ni nice now nu och ok okay okej perfect perfekt på quick regards reply resolved
sincerely snabb snabba snabbt so solved sorted stort super svar svaret så team that the this to
toppen tusen very vänlig vänliga working works you your
"""
_AROUND = frozenset(_AROUND_WORDS.split())
_LONGEST = 25  # words


def is_mere_thanks(text: str) -> bool:
    """Whether the words only say thank you (English or Swedish); a question or any other word means they do not."""
    if "?" in text:
        return False
    words = [word.casefold() for word in _WORD.findall(text)]
    return (
        0 < len(words) <= _LONGEST
        and any(word in _THANKS for word in words)
        and all(word in _THANKS or word in _AROUND for word in words)
    )
