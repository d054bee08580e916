"""The controls of `InteractiveHTML`, written in Python: each calls the command named in its `data-do`."""

from __future__ import annotations

from collections.abc import Iterable

from .markup import escape


def button(do: str, label: str, value: str = "", *, disabled: bool = False, pick: str = "") -> str:
    """A button; with `pick`, the endings of files (".json"), it has a file chosen and sends its text and name."""
    off = ' aria-disabled="true"' if disabled else ""
    file = f' data-pick="{escape(pick)}"' if pick else ""
    return f'<button type="button" data-do="{do}" data-value="{escape(value)}"{off}{file}>{escape(label)}</button>'


def select(do: str, label: str, options: Iterable[tuple[str, str]], chosen: str) -> str:
    """A choice; `options` are values and what they are called."""
    rows = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options
    )
    return f'<label>{escape(label)} <select data-do="{do}" aria-label="{escape(label)}">{rows}</select></label>'
