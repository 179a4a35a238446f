"""What the plugin says of its own, in the language in which the program speaks."""

from __future__ import annotations

import os
from typing import Sequence

# The variables that name a language, the first that is set counts.
VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")

SPANISH = {
    "{count} failure": "{count} fallo",
    "{count} failures": "{count} fallos",
    "… {count} line more, with -v": "… {count} línea más, con -v",
    "… {count} lines more, with -v": "… {count} líneas más, con -v",
    "a guess": "una conjetura",
    "likely": "probable",
    "certain": "seguro",
    "rerun": "repetir",
    "cause {place} of {of}: {name}": "causa {place} de {of}: {name}",
    "{title}: see {case}": "{title}: véase {case}",
    "failing alike": "fallan igual",
    "not checked: {why}": "sin revisar: {why}",
    "the report does not tell of this case": "el informe no dice nada de este caso",
    "the verdict is {verdict}": "el veredicto es {verdict}",
    "unstable, failed {failed} of {of} times: {detail}": "a veces, falló {failed} de {of} veces: {detail}",
    "expectations that no longer hold: take them out of the file": "expectativas que ya no se cumplen: quítalas del archivo",
    "an expectation that no longer holds: {problem}": "una expectativa que ya no se cumple: {problem}",
    "Take it out of the file.": "Quítala del archivo.",
    "{command} ended with {code}, without a report and without a reason": "{command} terminó con {code}, sin informe y sin razón",
}


def is_spanish(arguments: Sequence[str]) -> bool:
    """Whether the program speaks Spanish, called with these arguments."""
    named = next((value for value in map(os.environ.get, VARIABLES) if value), "")
    words = list(arguments)
    for at, word in enumerate(words):
        if word == "--lang" and at + 1 < len(words):
            named = words[at + 1]
        elif word.startswith("--lang="):
            named = word[len("--lang=") :]
    code = "".join(c if c.isalnum() and c.isascii() else " " for c in named).split()
    return [part.lower() for part in code[:1]] == ["es"]


class Words:
    """Templates filled, in one language."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._known = SPANISH if is_spanish(arguments) else {}

    def say(self, template: str, **holes: object) -> str:
        return self._known.get(template, template).format(**holes)

    def number(self, one: str, more: str, count: int) -> str:
        return self.say(one if count == 1 else more, count=count)
