"""Every challenge is fair; what a file may say, and what is said of one that cannot be played."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from simlib.challenges import ChallengeFileError, challenges, find
from simlib.challenges.challenge import FILES, FORM, KINDS, described
from simlib.challenges.judge import judge, points
from simlib.challenges.seeds import fill, seeded
from simlib.challenges.setting import Refused, Setting, build
from simlib.challenges.solver import prove
from simlib.challenges.statements import policy
from simlib.iam import Policy
from simlib.lessons import LESSONS

SEED = 1
GET_IN, LOCK_OUT, CUT_DOWN = "passrole-lambda", "old-key", "golf-thumbnails"


@pytest.mark.parametrize("name", challenges())
def test_a_challenge_can_be_solved_and_not_by_a_naive_attempt(name: str) -> None:
    seed = sum(map(ord, name)) % 20  # another one for each; tests/challenges/table.py walks them all
    proof = prove(find(name), seed)
    assert proof.problems == []
    assert proof.way
    assert proof.fails


@pytest.mark.parametrize("name", challenges())
def test_a_challenge_is_told_whole_and_gives_nothing_away(name: str) -> None:
    challenge = find(name)
    facts = seeded(challenge.document(), name, 3)
    told = [facts["title"], facts["story"], facts["task"], facts["here"], facts["debrief"], *facts["hints"]]
    assert not [text for text in told if re.search(r"(?<!\$)\{[a-z]", text)], "a gap that no name fills"
    assert facts["values"]["flag"] not in json.dumps(told)
    assert 5 <= challenge.minutes <= 20
    assert challenge.lesson in LESSONS


def test_there_is_something_of_each_kind_theme_and_level() -> None:
    assert {each.kind for each in challenges().values()} == set(KINDS)
    assert {each.theme for each in challenges().values()} == set(FORM["themes"])
    assert {each.level for each in challenges().values()} == set(FORM["levels"])


@pytest.mark.parametrize("name", challenges())
def test_each_weak_spot_is_told_of_in_its_own_words(name: str) -> None:
    variants = find(name).document()["variants"]
    assert len({variant["here"] for variant in variants.values()}) == len(variants) > 1


@pytest.mark.parametrize("name", [name for name, each in challenges().items() if each.kind in ("mend", "explain")])
def test_the_trail_has_the_call_that_does_not_work(name: str) -> None:
    made = build(seeded(find(name).document(), name, 2))
    with made.world:
        assert [event for event in made.world.trail if event.refused]
        assert made.start == made.world.trail.total, "and it is none of the player's"


@pytest.mark.parametrize("variant", ["build", "task", "job", "notebook"])
def test_a_role_that_was_passed_to_a_service_is_used_from_inside(variant: str) -> None:
    assert prove(find("other-entrances"), 0, variant).fair


# -- what a seed does ------------------------------------------------------------------------------------------------


def test_the_same_seed_is_the_same_challenge_and_another_one_another() -> None:
    document = find(GET_IN).document()
    assert seeded(document, GET_IN, 7) == seeded(document, GET_IN, 7)
    worlds = {json.dumps(seeded(document, GET_IN, seed)) for seed in range(20)}
    assert len(worlds) == 20
    assert {seeded(document, GET_IN, seed)["variant"] for seed in range(4)} == {"plain", "shared"}


def test_people_and_firms_have_a_capital_in_a_sentence_and_not_in_a_name_of_aws() -> None:
    document = {
        "names": {"boss": "people", "firm": "firms", "job": "jobs"},
        "accounts": {"main": {"users": {"{boss}": {}}}},
        "story": "{boss} of {firm} runs {job} as `{boss}`.",
        "hints": ["Ask {boss}."],
    }
    made = seeded(document, "any", 1)
    boss, firm, job = (made["values"][name] for name in ("boss", "firm", "job"))
    assert made["story"] == f"{boss.title()} of {firm.title()} runs {job} as `{boss}`."
    assert made["hints"] == [f"Ask {boss.title()}."]
    assert list(made["accounts"]["main"]["users"]) == [boss]


def test_gaps_are_filled_and_those_of_aws_stay() -> None:
    values = {"main": "111111111111", "batch": "mailer"}
    cases = {
        "{batch}": "mailer",
        "{main:role/batch}": "arn:aws:iam::111111111111:role/mailer",
        "{main:assumed-role/batch/in}": "arn:aws:sts::111111111111:assumed-role/mailer/in",
        "{main:root}": "arn:aws:iam::111111111111:root",
        "home/${aws:username}/${batch}": "home/${aws:username}/${batch}",
        "{later}": "{later}",
    }
    assert {text: fill(text, values) for text in cases} == cases


# -- policies in lines -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kind", "expected"),
    [
        ("Allow s3:*", "identity", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
        (
            "NoWay: Deny s3:Get*, s3:Put* on arn:aws:s3:::a, arn:aws:s3:::b "
            "if StringLike aws:x = 1 | 2 and Bool aws:y = true",
            "scp",
            {
                "Sid": "NoWay",
                "Effect": "Deny",
                "Action": ["s3:Get*", "s3:Put*"],
                "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b"],
                "Condition": {"StringLike": {"aws:x": ["1", "2"]}, "Bool": {"aws:y": "true"}},
            },
        ),
        (
            "Allow sts:AssumeRole for lambda.amazonaws.com, arn:aws:iam::111111111111:root",
            "trust",
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com", "AWS": "arn:aws:iam::111111111111:root"},
                "Action": "sts:AssumeRole",
            },
        ),
        (
            "Deny s3:* if Null aws:PrincipalOrgID = true",
            "rcp",
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {"Null": {"aws:PrincipalOrgID": "true"}},
            },
        ),
    ],
)
def test_a_line_is_a_statement(line: str, kind: str, expected: dict[str, Any]) -> None:
    text = policy(line, kind)
    assert json.loads(text)["Statement"] == [expected]
    Policy.parse(text, kind)


@pytest.mark.parametrize("line", ["Permit s3:*", "Allow", "Allow s3:* if aws:x is 1"])
def test_a_line_that_says_nothing_is_told_how_to(line: str) -> None:
    with pytest.raises(ValueError, match=r"Write `"):
        policy(line)


# -- files that cannot be played -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('kind = "get in"', 'kind = "break in"'), "`kind` is one of"),
        (("level = 1", "level = 9"), "`level` is one of 1, 2, 3, not 9"),
        (("minutes = 10", "minuets = 10"), "there is no `minuets`. Did you mean `minutes`?"),
        (('task = "', 'tusk = "'), "there is no `tusk`. Did you mean `task`?"),
        (('story = """', 'story = """' + "word " * 130), "words; 120 are the most"),
        (("[names]", "[names"), "cannot be read"),
    ],
)
def test_a_file_that_is_no_challenge_says_where_and_what_would_be(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    text = (FILES / f"{GET_IN}.toml").read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "mine.toml").write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(ChallengeFileError, match=re.escape(words)):
        described(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("lambda:CreateFunction, ", ""), "the solution does not work"),
        (('policy = "Allow logs:*"', 'policy = "Allow *"'), "a naive attempt solves it"),
        (
            ('"secretsmanager.get_secret_value", { SecretId', '"secretsmanager.get_secret_value", { SecretIt'),
            "fails otherwise",
        ),
        (('"secretsmanager.create_secret"', '"secretsmanager.make_secret"'), "is no call of boto3"),
        (('firm = "firms"', 'firm = "farms"'), "there is no list 'farms'"),
        (('trust = "Allow sts:AssumeRole for', 'trust = "Permit sts:AssumeRole for'), "is no statement"),
        (('["{intern}", "lambda.invoke"', '["{inturn}", "lambda.invoke"'), "Nobody acts as"),
    ],
)
def test_an_unfair_challenge_is_found_out(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    text = (FILES / f"{GET_IN}.toml").read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "mine.toml").write_text(text.replace(*change), encoding="utf-8")
    proof = prove(described(tmp_path / "mine.toml"), 0, "plain")
    assert words in " ".join(proof.problems)


def test_a_name_that_is_nearly_right_is_offered() -> None:
    with pytest.raises(LookupError, match=r"Did you mean `passrole-lambda`\?"):
        find("pasrole-lambda")


# -- the judge -------------------------------------------------------------------------------------------------------


@pytest.fixture
def setting(request: pytest.FixtureRequest) -> Iterator[Setting]:
    name = request.param
    made = build(seeded(find(name).document(), name, SEED))
    with made.world:
        yield made


@pytest.mark.parametrize("setting", [GET_IN], indirect=True)
def test_the_flag_counts_and_not_the_key_of_the_labs_administrator(setting: Setting) -> None:
    facts, flag = seeded(find(GET_IN).document(), GET_IN, SEED), setting.values["flag"]
    assert not judge(facts, setting).passed
    assert not judge(facts, setting, "FLAG-guess-000000").passed
    assert judge(facts, setting, f" {flag} ").passed
    setting.world.accounts[0].admin.client("iam").list_users()
    assert "administrator" in judge(facts, setting, flag).sentence


@pytest.mark.parametrize("setting", [LOCK_OUT], indirect=True)
def test_a_check_leaves_the_world_as_it_was(setting: Setting) -> None:
    calls, people = setting.world.trail.total, set(setting.people)
    tally = judge(seeded(find(LOCK_OUT).document(), LOCK_OUT, SEED), setting)
    assert re.fullmatch(r"\w+ is out, 0 of 3; everybody works, 4 of 4\.", tally.sentence)
    assert len(setting.world.trail.since(calls)) == 0
    assert set(setting.people) == people
    assert setting.world.source_ip == "203.0.113.10"


@pytest.mark.parametrize("setting", [CUT_DOWN], indirect=True)
def test_what_a_policy_allows_beyond_the_trail_is_counted(setting: Setting) -> None:
    facts = seeded(find(CUT_DOWN).document(), CUT_DOWN, 1)
    bucket, worker = facts["values"]["bucket"], facts["values"]["worker"]

    def over(*lines: str) -> tuple[bool, int]:
        with setting.rehearsal() as there:
            of = {"RoleName": worker, "PolicyName": worker, "PolicyDocument": list(lines)}
            there.perform([["main", "iam.put_role_policy", of]])
            tally = judge(facts, there)
            return tally.passed, tally.over

    folders = (f"Allow s3:GetObject on arn:aws:s3:::{bucket}/large/*",
               f"Allow s3:PutObject on arn:aws:s3:::{bucket}/small/*")  # fmt: skip
    listing = f"Allow s3:ListBucket on arn:aws:s3:::{bucket}"
    assert over(*folders, listing) == (True, 0)
    assert over(*folders, f"Allow s3:ListBucket, s3:GetBucketAcl on arn:aws:s3:::{bucket}") == (True, 1)
    assert over(*folders) == (False, 0), "the work does not go on"
    passed, much = over("Allow s3:*")
    assert (passed, much > 500) == (False, True)
    assert over("Allow *")[1] > much, "what is no business of S3 counts, too"


@pytest.mark.parametrize("setting", [LOCK_OUT], indirect=True)
def test_time_passes_until_the_next_time_of_day(setting: Setting) -> None:
    setting.perform(["at 03:30"])
    first = setting.world.clock.now
    assert f"{first:%H:%M}" == "03:30"
    setting.perform(["at 03:00"])
    assert timedelta(hours=23) < setting.world.clock.now - first < timedelta(hours=24)


@pytest.mark.parametrize("setting", [LOCK_OUT], indirect=True)
def test_a_token_is_given_out_for_ones_own_repository_alone(setting: Setting) -> None:
    ours = replace(setting, tokens=("repo:raven/",))
    assert ours.token("repo:raven/tools:pull_request").count(".") == 2
    with pytest.raises(LookupError, match="begin with repo:raven/"):
        ours.token("repo:example/shop:ref:refs/heads/main")


@pytest.mark.parametrize("setting", [LOCK_OUT], indirect=True)
def test_a_service_works_as_a_role_only_while_the_trust_policy_lets_it(setting: Setting) -> None:
    role = setting.values["export"]
    step = [f"ec2.amazonaws.com as {role}", "sts.get_caller_identity"]
    setting.perform([step])
    closed = {"RoleName": role, "PolicyDocument": "Allow sts:AssumeRole for lambda.amazonaws.com"}
    with pytest.raises(Refused, match="may not assume"):
        setting.perform([["main", "iam.update_assume_role_policy", closed], step])


def test_points_go_for_hints_and_wrong_checks_and_never_all_of_them() -> None:
    assert points("get in", 0, 0) == 100
    assert points("get in", 2, 1) == 65
    assert points("explain", 0, 2) == 50
    assert points("cut down", 0, 0, 9) == 82
    assert points("cut down", 3, 9, 400) == 10
