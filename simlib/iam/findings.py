"""Everything `validation` can find: the table `findings.toml`, and the report that a finding is written to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path as File
from typing import Any, Final, NamedTuple

from simlib.iam.conditions import scalar_text
from simlib.iam.errors import Path, Position, Problem, name_of
from simlib.iam.statement import KINDS, Reporter, Statement, Texts

ERROR: Final = "error"
SECURITY: Final = "security warning"
WARNING: Final = "warning"
SUGGESTION: Final = "suggestion"
_PAGE: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"


class Finding(NamedTuple):
    """A row: Access Analyzer's gravity, the test that finds it, what to say and to advise, with words to fill in.

    `when`: the rules that find it (`rules`); `test`: or the function that does. `advice`: the first that fits, of
    patterns for `ELEMENT VALUE`. `level`: "error" is no policy of that kind, for the engine either; "refused" can be
    read, and some service of AWS does not save it; "warning" is saved. `ours`: Access Analyzer has no such check.
    """

    gravity: str
    when: Sequence[Mapping[str, str]]
    test: str
    message: str
    advice: Sequence[Sequence[str]]
    level: str
    ours: bool


def _rows() -> Iterator[tuple[str, Finding]]:
    for code, row in tomllib.loads(File(__file__).with_suffix(".toml").read_text("utf-8")).items():
        words, test, message, advice = (*row, [])[:4]
        level = "error" if "wrong" in words else "refused" if "refused" in words else "warning"
        gravity = re.sub("ours|wrong|refused", "", words).strip() or ERROR
        when = [test] if isinstance(test, dict) else test if isinstance(test, list) else []
        advice = [["", advice]] if isinstance(advice, str) else advice
        yield code, Finding(gravity, when, "" if when else test, message, advice, level, words.startswith("ours"))


FINDINGS: Final = dict(_rows())


def gravity(code: str, level: str = "warning") -> str:
    """ "error", "security warning", "warning" or "suggestion": how Access Analyzer grades a finding with this code.

    What AWS refuses to save (another `level`) is an error, whatever the code.
    """
    return FINDINGS[code].gravity if level == "warning" else ERROR


def issue_code(code: str) -> str | None:
    """Access Analyzer's issue code (`MISSING_EFFECT`), or None where it has no such check."""
    if code.startswith("json-"):
        return "JSON_SYNTAX_ERROR"
    return None if FINDINGS[code].ours else code.removesuffix("-as-value").upper().replace("-", "_")


def page(code: str) -> str:
    """Where AWS describes a check; of our own, the page as a whole."""
    found = FINDINGS[code]
    if found.ours:
        return _PAGE
    kind = "general-warning" if found.gravity == WARNING else found.gravity.replace(" ", "-")
    return f"{_PAGE}#access-analyzer-reference-policy-checks-{kind}-{code.removesuffix('-as-value')}"


def preview(value: Any) -> str:
    """A value as a message shows it: short, on one line, whatever it is."""
    text = scalar_text(value)
    if text is None:
        kinds = {type(None): "null", int: "a long number", float: "no number", list: "a list", tuple: "a list"}
        text = kinds.get(type(value), "an object")
    text = text or "an empty text"
    text = text if text.isprintable() else text[:60].encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:59]}…"


def some(texts: Sequence[str]) -> str:
    """The first of some texts, and how many there are besides."""
    return preview(texts[0]) + (f" and {len(texts) - 1} more" if len(texts) > 1 else "")


def guess(suggestion: str | None) -> str | None:
    return f"did you mean {suggestion}?" if suggestion else None


class Report(Reporter):
    """Collects findings about one document; `place` gives them their places in its text."""

    def __init__(self, kind: str, place: Callable[..., Position | None] | None = None, stored_as: str = "") -> None:
        self.kind, self.place, self.stored_as = kind, place, stored_as
        self.problems: list[Problem] = []
        self.wrong: set[Path] = set()  # places with a problem; advice leaves them alone
        self.version = ""  # of the document; without the current one variables are plain text
        self.guesses = 50  # comparing words is slow, and a document with more misspellings is not one
        self.comparisons = 2000  # of a wildcard with a service's actions, or a resource with its ARNs: slow, too

    def add(
        self,
        code: str,
        path: Path,
        value: Any = None,
        suggestion: str | None = None,
        *,
        known: Iterable[str] = (),
        place: Position | None = None,
        **words: Any,
    ) -> None:
        """Note a finding about the value at `path`, or about its name if that is the value. `words` fill in what the
        table says; the nearest of the `known` words is advised where the table has no advice.
        """
        finding, name = FINDINGS[code], next((step for step in reversed(path) if isinstance(step, str)), "")
        self.wrong.add(path)
        words = {"kind": KINDS[self.kind].name, **words, "value": words.get("shows") or preview(value)}
        message = finding.message.format(**words)
        for pattern, advice in () if suggestion else finding.advice:
            if fits := re.match(pattern, f"{name} {value if isinstance(value, str) else ''}", re.DOTALL):
                suggestion = advice.format(*fits.groups(""), **words)
                break
        if known and not suggestion:
            suggestion = guess(next(iter(self.close(words.get("shows", value), known)), None))
        suggestion = f"{suggestion[:299]}…" if suggestion and len(suggestion) > 300 else suggestion
        of_name = isinstance(value, str) and path[-1:] == (value,)
        line, column = place or (self.place and self.place(path, of_name=of_name)) or (None, None)
        value = value if value is None or scalar_text(value) is not None else words["value"]
        self.problems.append(Problem(name_of(path), message, value, suggestion, line, column, finding.level, code))

    def close(self, word: Any, known: Iterable[str]) -> list[str]:
        """The known words that are much like this one, the most alike first."""
        from difflib import get_close_matches  # late: it is for documents with a misspelling

        if not isinstance(word, str) or len(word) > 80 or not self.guesses:
            return []
        self.guesses -= 1
        names = {name.lower(): name for name in known}
        alike = 0.7 if len(word) > 4 else 0.6 if len(word) > 2 else 0.5  # one letter of a short word counts more
        return [names[low] for low in get_close_matches(word.lower(), names, 8, alike)]

    def sound(self, statement: Statement, *elements: str) -> Texts:
        """The texts of some elements of a statement that nothing has been found about yet."""
        return [each for element in elements for each in statement.texts(element) if each[0] not in self.wrong]
