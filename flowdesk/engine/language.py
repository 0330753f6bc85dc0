"""Tells the language of a short text by its small words and letters, or abstains (F-RTE-05).

Function words decide, since they stand in every sentence and hardly travel between languages; a letter
that only some languages have adds to those. Norwegian, Danish, Finnish and the like are known so that they
are not taken for Swedish. Too little or too even evidence gives None, and the caller's default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LEAST_EVIDENCE = 2
LEAST_LEAD = 1.3  # times the second language's evidence

_SMALL_WORDS: Mapping[str, str] = {
    "sv": "och att det är jag inte på för som med vi har kan hur ni men från när vad eller till vår mitt min "
    "mig oss ska måste går får hej tack varför alla någon något nu här också blir blev vill era er ert vårt "
    "hjälp fungerar efter igen om så den ett av i",
    "en": "the and to is are was were i you we my our your it this that with have has can cannot for not of "
    "how what why when would please from be been do does did there they on in at an hi hello thanks if but "
    "will get",
    "es": "el la los las que de y en un una es por con para no se mi me su lo como cuando pero está esta "
    "tengo puedo hola gracias porque qué cómo necesito nuestro nuestra ayuda al del",
    "de": "der die das und ich ist nicht wir sie mit ein eine zu auf für den dem wie kann bitte haben habe "
    "mein meine unser von im am es wird wurde hallo danke warum oder auch bei",
    "fr": "le la les et je est pas vous nous que de des un une en pour dans sur avec mon ma mes notre votre "
    "bonjour merci ne ce cette comment pourquoi du au ou à été avons",
    "da": "og at det er jeg ikke på for som med vi har kan hvordan men fra når hvad eller til vores min mig "
    "os skal må får hej tak hvorfor alle noget nu her også bliver blev vil jeres virker efter igen af i "
    "den et",
    "nb": "og at det er jeg ikke på for som med vi har kan hvordan men fra når hva eller til vår min meg oss "
    "skal må får hei takk hvorfor alle noe nå her også blir ble vil deres fungerer etter igjen av i den et",
    "fi": "ja on ei että se hän me te en ole voi mutta kun jos niin kuin minun meidän hei kiitos miksi miten "
    "olen tämä joka mitä ovat",
    "pt": "o a os as que de e em um uma é por com para não se meu minha me seu como quando mas está tenho "
    "posso olá obrigado porque do da no na ao nosso",
    "it": "il lo la gli le che di e in un una è per con non si mio mia mi come quando ma sono ho posso ciao "
    "grazie perché del della nel al nostro",
    "nl": "de het een en ik is niet wij we u je met voor van op dat die te kan hoe maar als bij ook mijn ons "
    "onze hallo bedankt waarom wordt zijn heb hebben",
}
_LETTERS: Mapping[str, str] = {
    "sv": "åäö",
    "da": "åæø",
    "nb": "åæø",
    "fi": "äö",
    "de": "äöüß",
    "es": "ñ¿¡",
    "pt": "ãõç",
    "fr": "çêèàœ",
}
# A letter a language never writes speaks against it, whatever small words it shares with a neighbour.
_FOREIGN: Mapping[str, str] = {"sv": "æøñß", "da": "äöñß", "nb": "äöñß", "en": "åäöæøñß¿¡ãõ"}

_BY_WORD: Mapping[str, tuple[str, ...]] = {
    word: tuple(language for language, words in _SMALL_WORDS.items() if word in words.split())
    for words in _SMALL_WORDS.values()
    for word in words.split()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageGuess:
    """The language (ISO 639-1) or None, and the evidence for the strongest one."""

    language: str | None
    evidence: float


def guess_language(words: list[str], *, text: str) -> LanguageGuess:
    """Weighs the words (lower case) and the letters of the text they come from."""
    weights = dict.fromkeys(_SMALL_WORDS, 0.0)
    for word in words:
        languages = _BY_WORD.get(word, ())
        for language in languages:
            # A word of one language tells more than one that three neighbours share.
            weights[language] += 1.0 if len(languages) == 1 else 0.5
    letters = set(text.casefold())
    for language, signs in _LETTERS.items():
        weights[language] += len(letters & set(signs))
    for language, signs in _FOREIGN.items():
        if letters & set(signs):
            weights[language] /= 2
    (language, most), (_, second) = sorted(weights.items(), key=lambda pair: -pair[1])[:2]
    is_clear = most >= LEAST_EVIDENCE and most >= LEAST_LEAD * second
    return LanguageGuess(language=language if is_clear else None, evidence=most)
