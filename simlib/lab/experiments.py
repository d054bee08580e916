"""The smallest experiment that shows something, made for the learner: on a copy of the world, which is undone."""

from __future__ import annotations

import ast
import io
from contextlib import redirect_stdout
from typing import Any

from . import lesson_cells, missing_names


def run_on_copy(code: str) -> str:
    """Run code with the names of the notebook, and return what it shows: what it prints, and its last value.

    World, trail and clock are afterwards what they were; what it assigns is forgotten. A failure is a sentence.
    """
    from simlib.cloud import Cloud

    if Cloud.running is None:
        return "There is no running world. Run the first cells of the lesson, then try it again."
    printed = io.StringIO()
    try:
        with Cloud.running.rehearsal(), redirect_stdout(printed):
            value = last_value(code, dict(lesson_cells.names()))
    except NameError as error:
        return missing_names.sentence(error.name or "") or f"It ended with {error}."
    except Exception as error:
        return f"It ended with {type(error).__name__}: {error}"
    return f"{printed.getvalue()}{'' if value is None else value}".strip()


def last_value(code: str, names: dict[str, Any]) -> Any:
    """Run code, and return the value of its last line, if that is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<experiment>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<experiment>", "eval"), names) if last else None
