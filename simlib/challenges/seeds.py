"""What a seed makes of a challenge's file: names, decoys and the weak spot.

`[names]` has a list to choose from, or the name of one of the lists in `names.toml`, for each gap `{name}` of the file;
nothing is drawn twice. `[variants.…]` are tables that change the file, of which one is taken: the weak spot.
`[decoys.…]` are such tables too, of which half are taken.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

GAP = re.compile(r"(?<!\$)\{([a-z_][\w-]*)(?::([^{}]+))?\}")  # {bucket}, {main}, {main:role/batch}; not ${aws:username}

TEXTS = ("story", "task", "hints", "here", "debrief", "intruder", "shut", "keep", "choices")  # of tables the keys
PROPER = ("people", "intruders", "firms")  # lists of names that begin with a capital in a sentence


@cache
def pools() -> Mapping[str, list[str]]:
    """The lists of names that a challenge may draw from."""
    return tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))


def seeded(document: Mapping[str, Any], name: str, seed: int, variant: str = "") -> dict[str, Any]:
    """The file with its gaps filled, as far as a seed fills them; `variant` names one instead of drawing it.

    Raises `LookupError` for a list of names that there is not.
    """
    draw = Random(f"{name} {seed}")
    variants, decoys = document.get("variants", {}), document.get("decoys", {})
    choice = variant or (sorted(variants)[seed % len(variants)] if variants else "")
    whole = merged(document, variants.get(choice, {}))
    for decoy in draw.sample(sorted(decoys), (len(decoys) + 1) // 2):
        whole = merged(whole, decoys[decoy])
    names = _draw_names(whole.get("names", {}), draw)
    values = account_values(whole["accounts"]) | names
    values["flag"] = f"FLAG-{draw.choice(pools()['animals'])}-{draw.randrange(16**6):06x}"
    rest = {key: value for key, value in whole.items() if key not in ("names", "variants", "decoys")}
    proper = {each: names[each].capitalize() for each, words in whole.get("names", {}).items() if words in PROPER}
    rest |= {text: _spelt(rest[text], proper) for text in TEXTS if text in rest}
    return {**fill(rest, values), "values": values, "variant": choice}


def account_values(accounts: Iterable[str]) -> dict[str, str]:
    """What fills the gaps of any file: the numbers of its accounts, in their order, and a machine's image."""
    return {**{name: str(number) * 12 for number, name in enumerate(accounts, 1)}, "image": "ami-12c6146b"}


def _spelt(text: Any, proper: Mapping[str, str]) -> Any:
    """Names of people and firms as one writes them in a sentence: Ada; what stands in backticks is AWS's: `ada`."""
    if isinstance(text, Mapping):
        return {_spelt(each, proper): steps for each, steps in text.items()}
    if isinstance(text, list):
        return [_spelt(each, proper) for each in text]
    return "".join(part if part.startswith("`") else fill(part, proper) for part in re.split("(`[^`]*`)", text))


def _draw_names(lists: Mapping[str, Any], draw: Random) -> dict[str, str]:
    names: dict[str, str] = {}
    used: set[str] = set()
    for name, words in lists.items():
        if isinstance(words, str) and words not in pools():
            raise LookupError(f"names.{name}: there is no list {words!r}; there are {', '.join(pools())}.")
        choice = [word for word in (pools()[words] if isinstance(words, str) else words) if word not in used]
        if not choice:
            raise LookupError(f"names.{name}: its list has no word left that no other name has.")
        used.add(word := draw.choice(choice))
        names[name] = fill(word, names)  # a name may have an earlier one in it
    return names


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """`one` with what `other` says otherwise, table by table; what is no table is replaced."""
    both = dict(one)
    for key, value in other.items():
        old = both.get(key)
        both[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return both


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """Every gap filled for which there is a value, in keys too; the others stay for later. A text that is one gap alone
    becomes its value, which need not be a text."""
    if isinstance(value, Mapping):
        return {fill(key, values): fill(each, values) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [fill(each, values) for each in value]
    if not isinstance(value, str):
        return value
    alone = GAP.fullmatch(value)
    return _fill(alone, values) if alone else GAP.sub(lambda gap: str(_fill(gap, values)), value)


def _fill(gap: re.Match[str], values: Mapping[str, Any]) -> Any:
    name, within = gap.groups()
    if name not in values:
        return gap[0]
    if within is None:
        return values[name]
    kind, *path = within.split("/")
    place = "/".join([kind, *(part if values.get(part, "").isdigit() else values.get(part, part) for part in path)])
    service = "sts" if place.startswith("assumed-role/") else "iam"
    return f"arn:aws:{service}::{values[name]}:{place}"
