"""The controls of `InteractiveHTML`, written in Python: each calls the command named in its `data-do`."""

from __future__ import annotations

from collections.abc import Iterable

from .markup import escape


def button(do: str, label: str, value: str = "", *, disabled: bool = False) -> str:
    off = ' aria-disabled="true"' if disabled else ""
    return f'<button type="button" data-do="{do}" data-value="{escape(value)}"{off}>{escape(label)}</button>'


def select(do: str, label: str, options: Iterable[tuple[str, str]], chosen: str) -> str:
    """A choice; `options` are values and what they are called."""
    rows = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options
    )
    return f'<label>{escape(label)} <select data-do="{do}" aria-label="{escape(label)}">{rows}</select></label>'
