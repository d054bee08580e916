"""docs/moto.md is true: bare moto, in a process of its own, and the lab are asked again."""

from __future__ import annotations

from typing import Any

import pytest

from simlib import Cloud

from . import moto_gaps
from .moto_gaps import PAGE, QUESTIONS, Question, World


class Lab(World):
    """The lab with the same two accounts."""

    def __init__(self, aws: Cloud) -> None:
        self.aws = aws

    def admin(self, service: str, account: int = 1) -> Any:
        return self.aws.account(f"account {account}").admin.client(service)

    def account_id(self, account: int = 1) -> str:
        return self.aws.account(f"account {account}").id

    def wait(self, hours: int) -> None:
        self.aws.clock.advance(hours=hours)


@pytest.mark.parametrize("question", QUESTIONS, ids=[question.words for question in QUESTIONS])
def test_the_lab_says_what_aws_says(aws: Cloud, question: Question) -> None:
    assert question.put(Lab(aws)) == question.aws


def test_the_page_shows_what_both_say() -> None:
    lab = {question.words: question.aws for question in QUESTIONS}  # as the test above has found
    moto = moto_gaps.bare_moto_says()
    expected = moto_gaps.table(moto, lab)
    assert expected in PAGE.read_text(encoding="utf-8"), f"docs/moto.md should have this table:\n{expected}"
    agree = [question.words for question in QUESTIONS if moto[question.words] == question.aws]
    assert agree == [], "moto does these by now: is the lab's own answer still needed?"
