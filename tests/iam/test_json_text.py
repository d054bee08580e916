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

MERGE = "merge the two, or remove one"

MISTAKES = [  # sentence, text, code, line, column, path, suggestion
    ("an empty text", "", "json-empty", 1, 1, "", 'write an object: {"Version": …, "Statement": …}'),
    ("only spaces", " \n ", "json-empty", 1, 1, "", 'write an object: {"Version": …, "Statement": …}'),
    ("a trailing comma in an object", '{"a": 1,\n}', "json-trailing-comma", 1, 8, "a", "remove it"),
    ("a trailing comma in a list", '{"a": [1,\n 2,\n]}', "json-trailing-comma", 2, 3, "a[1]", "remove it"),
    ("a line comment", '{\n// why\n"a": 1}', "json-comment", 2, 1, "", "remove it"),
    ("a hash comment", '{"a": 1} # why', "json-comment", 1, 10, "", "remove it"),
    ("a block comment", '{"a": /* why */ 1}', "json-comment", 1, 7, "a", "remove it"),
    ("a block comment without end", '{"a": 1} /* why', "json-comment", 1, 10, "", "remove it"),
    ("Python's True", '{"a": True}', "json-literal", 1, 7, "a", "true"),
    ("Python's None", '{"a": None}', "json-literal", 1, 7, "a", "null"),
    ("NaN", '{"a": NaN}', "json-literal", 1, 7, "a", '"NaN"'),
    ("a bare word", '{"a": Allow}', "json-literal", 1, 7, "a", '"Allow"'),
    ("a bare name", '{Version: "x"}', "json-quotes", 1, 2, "", '"Version"'),
    ("single quotes", "{\"a\": 'x'}", "json-quotes", 1, 7, "a", '"x"'),
    ("typographic quotes", "{“a”: 1}", "json-quotes", 1, 2, "", '"a"'),
    ("a missing comma", '{"a": 1\n "b": 2}', "json-missing-comma", 2, 2, "a", "add a comma"),
    ("a semicolon", '{"a": 1; "b": 2}', "json-syntax", 1, 8, "a", None),
    ("a missing colon", '{"a" 1}', "json-syntax", 1, 6, "a", None),
    ("an equals sign", '{"a" = 1}', "json-syntax", 1, 6, "a", None),
    ("a missing value", '{"a": }', "json-syntax", 1, 7, "a", None),
    ("a missing item", "[1,, 2]", "json-syntax", 1, 4, "[1]", None),
    ("a bracket that is never closed", '{"a": [1, 2}', "json-other-bracket", 1, 12, "a[1]", "write ']' here"),
    ("an end too early", '{\n "a": [1,', "json-unclosed", 2, 7, "a[1]", "add ']'"),
    ("a string that is not closed", '{"a": "x\n}', "json-unclosed-string", 1, 7, "a", 'add "'),
    ("a second document", "{} {}", "json-syntax", 1, 4, "", None),
    ("a backslash that means nothing", r'{"a": "C:\d"}', "json-escape", 1, 10, "a", "a backslash itself is \\\\"),
    ("a tab in a string", '{"a": "\t"}', "json-escape", 1, 8, "a", "\\t"),
    ("a number with a leading zero", '{"a": 007}', "json-literal", 1, 7, "a", '"007"'),
    ("a number with a plus", '{"a": +1}', "json-literal", 1, 7, "a", '"+1"'),
    ("a non-breaking space", '{"a":\u00a01}', "json-space", 1, 6, "a", "replace it with a space"),
    ("a byte order mark", '\ufeff{"a": 1}', "json-space", 1, 1, "", "replace it with a space"),
    ("a name used twice", '{"a": 1,\n "a": 2}', "json-duplicate-key", 2, 2, "a", MERGE),
    ("a name used twice, spelt differently", '{"a":1,"\\u0061":2}', "json-duplicate-key", 1, 8, "a", MERGE),
    ("a sign that cannot stand there", '{"a": @}', "json-syntax", 1, 7, "a", None),
    ("a number as a name", "{1: 2}", "json-quotes", 1, 2, "", '"1"'),
    ("a list as a name", "{[]: 2}", "json-syntax", 1, 2, "", None),
    ("a value without a name", '{"a"}', "json-syntax", 1, 5, "a", None),
    ("two commas in an object", '{"a": 1,, "b": 2}', "json-syntax", 1, 9, "a", None),
    ("a bracket that nothing opened", "]", "json-syntax", 1, 1, "", None),
    ("65 levels", "[" * 65 + "]" * 65, "json-too-deep", 1, 65, "[0]" * 64, None),
]


def problems_of(text: str) -> tuple[Any, ...]:
    with pytest.raises(PolicyError) as caught:
        json_text.read(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "path", "suggestion"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_a_mistake_has_a_place_and_a_sentence(
    text: str, code: str, line: int, column: int, path: str, suggestion: str | None
) -> None:
    first = problems_of(text)[0]
    assert (first.code, first.line, first.column) == (code, line, column)
    assert (first.path, first.suggestion) == (path, suggestion)
    assert first.level == "error"
    assert first.message.endswith(".")


def test_several_mistakes_are_reported_at_once() -> None:
    text = '{\n  // first\n  Version: \'2012-10-17\',\n  "Statement": [{"Effect": True,}],\n}'
    found = [(p.code, p.line) for p in problems_of(text)]
    assert found == [
        ("json-comment", 2),
        ("json-quotes", 3),
        ("json-quotes", 3),
        ("json-literal", 4),
        ("json-trailing-comma", 4),
        ("json-trailing-comma", 4),
    ]


def test_reporting_stops_after_twenty_mistakes() -> None:
    assert len(problems_of("[" + "True," * 1000 + "1]")) == json_text.MAX_PROBLEMS


def test_places_are_those_of_names_and_values() -> None:
    located = json_text.read(POLICY)
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
    assert json_text.read("[" + "{}," * 5000 + "{}]").value == [{}] * 5001


@pytest.mark.parametrize("depth", [1, 63, 64])
def test_sixty_four_levels_are_read(depth: int) -> None:
    text = "[" * depth + "]" * depth
    assert json_text.read(text).text == text


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, "[[" * 300 + "]]" * 300, "[" + "[]," * 99 + "[" * 500 + "]" * 500 + "]"],
    ids=["open lists", "open objects", "closed lists", "deep after wide"],
)
def test_hostile_nesting_is_a_policy_error(text: str) -> None:
    assert problems_of(text)[-1].code == "json-too-deep"


def test_numbers_of_any_length_are_read() -> None:
    assert json_text.read("9" * 5000).value == float("inf")
    assert json_text.read("123").value == 123
    assert json_text.read("1.5e3").value == 1500.0


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
    located = json_text.read(text)
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
        assert json_text.read(text).text == text
        return
    lines = text.split("\n")
    for problem in problems_of(text):
        assert not problem.message.startswith("Expected JSON"), "the walk missed it"
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
    assert 1 <= len(problems_of(text)) <= json_text.MAX_PROBLEMS
    assert time.process_time() - begun < 2, "0.2 s are usual; going back at every token would take minutes"
