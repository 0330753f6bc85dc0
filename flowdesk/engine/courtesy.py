"""Tells a mere thank-you from words that want something: it starts no clock and reopens nothing."""

import re

_WORD = re.compile(r"[^\W\d_]+")
_THANKS = frozenset(["thanks", "thank", "thx", "ty", "cheers", "tack", "tackar", "tacksam", "tackas"])
_AROUND = frozenset(
    ["a", "all", "again", "and", "appreciate", "awesome", "best", "bra", "brilliant", "bye", "cool", "dear", "det", "den", "du", "ok", "okay", "okej", "em", "er", "fantastic", "fin", "fint", "for", "för", "fungerar", "good", "great", "grymt", "ha", "happy", "har", "hej", "hello", "help", "helping", "helped", "hi", "hjälpen", "hjälp", "hälsningar", "i", "is", "it", "its", "jag", "jättebra", "kind", "kram", "kan", "lot", "lots", "lovely", "löst", "many", "med", "mvh", "much", "my", "möda", "ni", "nice", "now", "nu", "och", "perfect", "perfekt", "quick", "regards", "reply", "resolved", "så", "snabb", "snabba", "snabbt", "sincerely", "so", "solved", "stort", "sorted", "super", "svar", "svaret", "team", "that", "the", "this", "to", "toppen", "tusen", "very", "vänlig", "vänliga", "works", "working", "you", "your", "mycket", "på", "av", "en", "ett"]
)
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
