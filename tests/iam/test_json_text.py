"""Reading JSON: good text as the standard library reads it, bad text with a place and a sentence."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simlib.iam import json_text
from simlib.iam.errors import Path, PolicyError, name_of

POLICY = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
     "Resource": "*"}
  ]
}
"""

COMMENT, QUOTES = "JSON has no comments: remove it", "names and texts go in double quotes"
INVISIBLE = "an invisible character, perhaps copied from a web page: replace it with a space"
MERGE, COMMA = "merge the two, or remove one", "is there a comma too many before it?"

MISTAKES = [  # sentence, text, line, column, suggestion
    ("an empty text", "", 1, 1, 'a policy is an object: {"Version": …, "Statement": …}'),
    ("a line comment", '{\n// why\n"a": 1}', 2, 1, COMMENT),
    ("a hash comment", '{"a": 1} # why', 1, 10, COMMENT),
    ("a block comment", '{"a": /* why */ 1}', 1, 7, COMMENT),
    ("Python's True", '{"a": True}', 1, 7, "JSON writes true and false"),
    ("Python's None", '{"a": None}', 1, 7, "JSON writes null"),
    ("NaN", '{"a": NaN}', 1, 7, QUOTES),
    ("a bare word", '{"a": Allow}', 1, 7, QUOTES),
    ("a bare name", '{Version: "x"}', 1, 2, QUOTES),
    ("single quotes", "{\"a\": 'x'}", 1, 7, QUOTES),
    ("typographic quotes", "{“a”: 1}", 1, 2, QUOTES),
    ("a missing comma", '{"a": 1\n "b": 2}', 2, 2, None),
    ("a missing colon", '{"a" 1}', 1, 6, None),
    ("a missing value", '{"a": }', 1, 7, COMMA),
    ("a list that is not closed", '{"a": [1, 2}', 1, 12, "is a ] missing before it?"),
    ("an object that is not closed", '[{"a": 1]', 1, 9, "is a } missing before it?"),
    ("an end too early", '{\n "a": 1', 2, 8, "a bracket is not closed"),
    ("a second document", "{} {}", 1, 4, "remove it, or a bracket before it"),
    ("a bracket too many", "{}}", 1, 3, "remove it, or a bracket before it"),
    ("a backslash that means nothing", r'{"a": "C:\d"}', 1, 10, None),
    ("a tab in a string", '{"a": "\t"}', 1, 8, None),
    ("a non-breaking space", '{"a":\u00a01}', 1, 6, INVISIBLE),
    ("a byte order mark", '\ufeff{"a": 1}', 1, 1, INVISIBLE),
    ("a name used twice", '{"a": 1,\n "a": 2}', 2, 2, MERGE),
    ("a name used twice, spelt differently", '{"a":1,"\\u0061":2}', 1, 8, MERGE),
    ("65 levels", "[" * 65 + "]" * 65, 1, 65, None),
]


def problems_of(text: str) -> tuple[Any, ...]:
    with pytest.raises(PolicyError) as caught:
        json_text.parse(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "line", "column", "suggestion"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_a_mistake_has_a_place_and_a_sentence(text: str, line: int, column: int, suggestion: str | None) -> None:
    (problem,) = problems_of(text)
    assert (problem.line, problem.column, problem.suggestion) == (line, column, suggestion)
    assert problem.level == "error"
    assert problem.message.endswith(".")


def test_a_trailing_comma_is_suspected() -> None:
    """Where it is said to be depends on Python's version."""
    for text in ('{"a": 1,\n}', '{"a": [1,\n 2,\n]}'):
        (problem,) = problems_of(text)
        assert "comma" in problem.sentence


def test_places_are_those_of_names_and_values() -> None:
    located = json_text.parse(POLICY)
    assert located.value == json.loads(POLICY)
    assert located.place(()) == (1, 1)
    assert located.place(("Version",)) == (2, 14)
    assert located.place(("Version",), of_name=True) == (2, 3)
    assert located.place(("Statement", 0, "Action", 1)) == (4, 52)
    assert located.place(("Statement", 0, "Action", 1), of_name=True) == (4, 52)
    assert located.place(("Statement", 0, "Resource")) == (5, 18)
    assert located.place(("Statement", 7)) is None


def test_a_path_reads_as_people_write_it() -> None:
    assert name_of(("Statement", 1, "Condition", "StringEqual")) == "Statement[1].Condition.StringEqual"
    assert name_of(("Statement", "Condition", "aws:x y", 0)) == 'Statement.Condition["aws:x y"][0]'
    assert name_of(()) == ""


def test_a_list_of_any_length_is_no_depth() -> None:
    assert json_text.parse("[" + "{}," * 5000 + "{}]").value == [{}] * 5001


@pytest.mark.parametrize("depth", [1, 63, 64])
def test_sixty_four_levels_are_read(depth: int) -> None:
    text = "[" * depth + "]" * depth
    assert json_text.parse(text).text == text


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, "[[" * 300 + "]]" * 300, "[" + "[]," * 99 + "[" * 500 + "]" * 500 + "]"],
    ids=["open lists", "open objects", "closed lists", "deep after wide"],
)
def test_hostile_nesting_is_a_policy_error(text: str) -> None:
    assert problems_of(text)[-1].code == "json-too-deep"


def test_numbers_of_any_length_are_read() -> None:
    assert json_text.parse("9" * 5000).value == float("inf")
    assert json_text.parse("123").value == 123
    assert json_text.parse("1.5e3").value == 1500.0


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES, st.sampled_from([None, 2]), st.booleans())
def test_what_the_standard_library_writes_is_read_and_every_part_has_a_place(
    value: Any, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    located = json_text.parse(text)
    assert located.value == value
    todo: list[tuple[Path, Any]] = [((), value)]
    while todo:
        path, part = todo.pop()
        place = located.place(path)
        assert place is not None
        line, column = place
        decoded, _ = json.JSONDecoder().raw_decode("\n".join(text.split("\n")[line - 1 :])[column - 1 :])
        assert decoded == part
        children = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        todo.extend(((*path, step), child) for step, child in children)


def is_good(text: str) -> bool:
    """What the standard library thinks of it, names used twice and other words for numbers excepted."""

    def no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    def no_constant(word: str) -> None:
        raise ValueError(word)

    try:
        json.loads(text, object_pairs_hook=no_twins, parse_constant=no_constant)
    except ValueError:
        return False
    return True


@given(st.one_of(st.text(), st.text(alphabet="{}[]\",:\\ \n\tatrue1-.eE+0/*#'“”", max_size=40)))
@example('{"a":1,"a":1}')
@example("\ud800")
@example('"\ud800"')
@example("{'a':}")
@example("[1 2]")
@example("²")
@example("½")
def test_any_text_is_read_or_refused_with_a_place_in_the_text(text: str) -> None:
    if is_good(text):
        assert json_text.parse(text).text == text
        return
    lines = text.split("\n")
    (problem,) = problems_of(text)
    assert problem.line is not None
    assert problem.column is not None
    assert 1 <= problem.line <= len(lines)
    assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


HOSTILE = ['"', "\\", '"\\', "{", "[", "/*", "//", "#", "'", "“", ",", ":", "True", "a:", '{"a":', '[1,"a"1', "-", "\n"]
HOSTILE += ["\xa0", "1,", "1 ", ", ", ",//", ",/*", ",/**/", "[1,", "[1,]", '"a"\n', "“”", "]", '"\\u0061":1,']


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("before", ["", "[", "{"])
def test_reading_hostile_text_takes_time_in_proportion_to_its_length(before: str, unit: str) -> None:
    text = before + unit * (200_000 // len(unit))
    begun = time.process_time()
    assert len(problems_of(text)) == 1
    assert time.process_time() - begun < 2, "0.2 s are usual; going back at every token would take minutes"
