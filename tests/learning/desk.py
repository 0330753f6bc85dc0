"""A small invented desk's questions, in English and Swedish, as rows to learn from."""

from __future__ import annotations

from flowdesk.learning.examples import Example

TEXTS = {
    "billing": (
        "My invoice is wrong, please send a new invoice",
        "I was charged twice on the invoice this month",
        "Why is the amount on my invoice higher than agreed?",
        "Please refund the invoice I paid twice",
        "The receipt for our payment is missing",
        "Fakturan är fel, skicka en ny faktura",
        "Vi har fått betala fakturan två gånger",
        "Varför är beloppet på fakturan högre än avtalat?",
        "Kvittot på vår betalning saknas",
        "Kan ni kreditera fakturan för april?",
    ),
    "login": (
        "I cannot log in, my password does not work",
        "Password reset mail never arrives",
        "The login page says my password has expired",
        "How do I change the password of my login?",
        "Locked out of my login after three tries",
        "Jag kan inte logga in, lösenordet fungerar inte",
        "Mejlet för att återställa lösenordet kommer aldrig",
        "Inloggningen säger att lösenordet har gått ut",
        "Hur byter jag lösenord för inloggningen?",
        "Utelåst från inloggningen efter tre försök",
    ),
    "delivery": (
        "My parcel has not arrived, where is the delivery?",
        "The courier left the parcel at the wrong address",
        "Tracking of the parcel has stood still for a week",
        "Can the delivery come on Friday instead?",
        "The parcel was broken when the courier brought it",
        "Paketet har inte kommit, var är leveransen?",
        "Budet lämnade paketet på fel adress",
        "Spårningen av paketet har stått still en vecka",
        "Kan leveransen komma på fredag i stället?",
        "Paketet var trasigt när budet kom med det",
    ),
}
STRANGE = (
    "Who won the football match yesterday?",
    "Tell me a joke about a horse",
    "What is the weather like in Lisbon?",
    "Vem vann hockeyn igår kväll?",
    "Berätta en saga om ett troll",
)


def a_desk(*, strange: bool = True) -> list[Example]:
    """Thirty rows of three labels, with five that belong to none unless told otherwise."""
    rows = [Example(text, label) for label, texts in TEXTS.items() for text in texts]
    return rows + ([Example(text, "oos") for text in STRANGE] if strange else [])


def a_busy_desk() -> list[Example]:
    """The same questions, each in many mouths: more than two thousand rows."""
    before = (
        "",
        "Hello, ",
        "Hi! ",
        "Good morning. ",
        "Dear support, ",
        "Hej! ",
        "Hejsan, ",
        "God dag. ",
        "Tja, ",
    )
    after = (
        "",
        " Thanks",
        " Please help",
        " It is urgent!",
        " Regards, Bo",
        " Tack",
        " Hälsningar Cleo",
        " Snälla hjälp",
    )
    return [Example(f"{a}{row.text}{b}", row.label) for row in a_desk() for a in before for b in after]
