import pytest

from flowdesk.core.text import one_line


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  two\n\twords ", "two words"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("a\u2066b\u2069c\u202d", "abc"),
        ("bell\x07 and\x1b[31m escape\x85", "bell and[31m escape"),
        ("null\x00", "null"),
        ("שלום עליכם", "שלום עליכם"),
        ("Åsa 👩‍👩‍👧 Zoë", "Åsa 👩‍👩‍👧 Zoë"),  # a joiner is no control of direction
    ],
)
def test_words_stay_and_what_turns_them_goes(given: str, kept: str) -> None:
    assert one_line(given) == kept
