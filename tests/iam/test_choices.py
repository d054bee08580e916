"""Where AWS leaves a case open, the rule says "(a choice)", and docs/choices.md has a line for it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import simlib.iam

FOLDER = Path(simlib.iam.__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "choices.md"
MARK = re.compile(r"\(a\s+(?:#:?\s*)?choice\)")


def marks() -> Iterator[str]:
    """Where each mark stands: the module and the function, class or constant it belongs to."""
    for path in sorted(FOLDER.glob("*.py")):
        text = path.read_text("utf-8")
        for match in MARK.finditer(text):
            yield ".".join([path.stem, *names(ast.parse(text), text.count("\n", 0, match.start()) + 1)])


def names(tree: ast.Module, line: int) -> Iterator[str]:
    """The function, class or constant around a line, or behind a comment, from the outside in."""
    node: ast.AST = tree
    while True:
        inside = [each for each in ast.iter_child_nodes(node) if getattr(each, "end_lineno", 0) >= line]
        if not inside:
            return
        node = inside[0]
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            return


def test_every_choice_has_its_line_and_every_line_its_choice() -> None:
    lines = [line.split("|") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    listed = Counter(cells[-2].strip().strip("`") for cells in lines)
    assert listed == Counter(marks())
    assert all(len(cells) == 5 and all(each.strip() for each in cells[1:4]) for cells in lines)
