"""What the course says, in the learner's language: a TOML file for each lesson, and one of words that all of them need.

A translation holds texts alone, at the places where the English file has them; what it lacks stays English. Its `cells`
are the words of the notebook, by the IDs of its cells. In a file a single line end is a space, and an empty line parts
paragraphs.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ENGLISH = "en"
_CODE = ("given", "solution", "code", "cells")  # whose lines stay as they are
_HERE = Path(__file__).parent
_chosen = [ENGLISH]


def languages() -> list[str]:
    """Those there are, by their codes; English first."""
    return sorted((path.parent.name for path in _HERE.glob("*/words.toml")), key=lambda each: (each != ENGLISH, each))


def use_language(language: str) -> None:
    """Speak this language from now on. Raises `ValueError` for one there is not."""
    if language not in languages():
        raise ValueError(f"There is no course in {language!r}; there is one in {', '.join(languages())}.")
    _chosen[0] = language


def language() -> str:
    """The code of the language in use."""
    return _chosen[0]


def word(name: str) -> str:
    """A word or sentence that lessons have in common."""
    return str(texts("words")[name])


def texts(name: str, language: str = "") -> dict[str, Any]:
    """What the file of that name holds in a language (default: the one in use), English where it is not translated."""
    return _texts(name, language or _chosen[0])


@cache
def _texts(name: str, language: str) -> dict[str, Any]:
    return dict(translated(file_texts(name, ENGLISH), file_texts(name, language)))


def file_texts(name: str, language: str) -> dict[str, Any]:
    """What the file holds in that language alone; {} where there is none."""
    path = _HERE / language / f"{name}.toml"
    return dict(_flowing(tomllib.loads(path.read_text(encoding="utf-8")))) if path.exists() else {}


def translated(english: Any, other: Any) -> Any:
    """The other's texts in place of the English ones, where it has them."""
    if isinstance(english, dict):
        return {key: translated(each, other[key]) if key in other else each for key, each in english.items()}
    if isinstance(english, list):
        return [translated(*pair) for pair in zip(english, other, strict=False)] + english[len(other) :]
    return other or english


def _flowing(value: Any) -> Any:
    """Texts without the line ends that only the file needs."""
    if isinstance(value, dict):
        return {key: each if key in _CODE else _flowing(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_flowing(each) for each in value]
    if isinstance(value, str):
        return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", value.strip()))
    return value
