"""A challenge on the screen: what one can do there, what is kept, and what does not lie about."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from simlib import lab
from simlib.challenges import find
from simlib.challenges.command import main
from simlib.challenges.seeds import seeded
from simlib.cloud import Cloud
from simlib.lab import progress
from simlib.lab.challenge_panel import OVER, TOOLS, UNSAVED, Challenges, Play, today
from simlib.lab.markup import escape
from simlib.lab.playground import Playground
from simlib.lab.room import read_folder
from simlib.lab.room_view import page, scores

SEED = 7
ROOT = Path(__file__).resolve().parents[2]
READ = """import boto3
def handler(event, context):
    return boto3.client("secretsmanager").get_secret_value(SecretId=event)["SecretString"]
"""


class Printed(str):
    """What a command has printed."""

    stdout = ""

    def __repr__(self) -> str:
        return str(self)


def facts(name: str) -> dict[str, Any]:
    return seeded(find(name).document(), name, SEED)


def press(panel: Any, command: str, value: str = "") -> None:
    panel.commands[command](value)


@pytest.fixture
def thief() -> Play:
    return lab.challenge("passrole-lambda", seed=SEED)


def solve(game: Play) -> str:
    """The flag, as somebody finds it who knows how."""
    values = facts("passrole-lambda")["values"]
    client = game.you.client("lambda")
    role = f"arn:aws:iam::111111111111:role/{values['batch']}"
    made = {"FunctionName": "peek", "Runtime": "python3.13", "Handler": "index.handler", "Role": role}
    client.create_function(**made, Code={"ZipFile": game.packed(READ)})
    return json.loads(client.invoke(FunctionName="peek", Payload=json.dumps(values["secret"]))["Payload"].read())


def test_somebody_gets_in_writes_the_flag_and_reads_what_it_was(thief: Play) -> None:
    press(thief, "check")
    assert "begins with FLAG-" in str(thief), "and to ask what is wanted costs nothing"
    press(thief, "answer", "FLAG-guessed")
    press(thief, "check")
    press(thief, "hint")
    assert "Think of this" in str(thief)
    press(thief, "answer", solve(thief))
    press(thief, "check")
    assert thief.score == 100 - 15 - 5
    text = str(thief)
    assert "Solved 80 of 100 points" in text
    assert "lesson 14" in text
    assert "lambda:CreateFunction" in text, "the calls that were made"
    assert "assumes" in text or "runs as" in text or "starts" in text, "the way in the graph"
    entry = progress.challenges()["passrole-lambda 7"]
    assert entry | {"seconds": 0, "when": ""} == {
        "passed": True, "tries": 2, "hints": 1, "score": 80, "seconds": 0, "when": ""
    }  # fmt: skip


def test_what_solves_it_does_not_lie_about_in_the_notebooks_object(thief: Play) -> None:
    told = facts("passrole-lambda")
    seen = repr(vars(thief)) + repr(vars(thief.challenge)) + repr(vars(thief._setting)) + str(thief) + thief.html
    assert told["values"]["flag"] not in seen
    assert told["debrief"][:40] not in seen
    assert not [hint for hint in told["hints"] if hint[:40] in seen]
    assert "create_function" not in seen


def test_the_terminal_runs_commands_and_keeps_the_credentials_they_print() -> None:
    game = lab.challenge("old-key", seed=SEED)
    values = facts("old-key")["values"]
    press(game, "tool", "terminal")
    assert "not with 'ls'" in game.run("ls")
    press(game.hosted, "command", "aws iam list-users --query Users[].UserName")
    press(game.hosted, "run")
    assert values["anna"] in str(game)
    game.run(f"aws iam create-access-key --user-name {values['bela']}")
    assert list(game.terminal.identities) == ["lab-admin", values["bela"]]
    assert f"user/{values['bela']}" in game.run("aws sts get-caller-identity")
    press(game.hosted, "as", "lab-admin")
    assert "lab-admin" in game.run("aws sts get-caller-identity")


def test_what_was_printed_stays_to_be_read_and_what_was_run_to_be_run_again() -> None:
    game = lab.challenge("passrole-lambda", seed=SEED)
    who = facts("passrole-lambda")["values"]["intern"]
    for command in ("aws sts get-caller-identity", "aws lambda list-functions", "aws sts get-caller-identity"):
        press(game.hosted, "command", command)
        press(game.hosted, "run")
    assert str(game).index(f"{who} $ aws lambda list-functions") > str(game).index("Arn")
    past = ["aws lambda list-functions", "aws sts get-caller-identity"]
    assert f'data-past="{escape(json.dumps(past))}"' in game.hosted.page().html(live=True)
    game.terminal.identities[who] = SimpleNamespace(run=lambda command: Printed("x" * 50_000))
    game.run("aws iam list-policies")
    assert len(str(game)) < 40_000, "what is endless is cut"
    assert "and more" in str(game)
    for _ in range(60):
        game.run("aws help")
    assert len(game.terminal.past) == 50


def test_one_goes_inside_what_one_has_started() -> None:
    game = lab.challenge("night-build", seed=SEED)
    values = facts("night-build")["values"]
    pressed = game.run(f"aws codebuild start-build --project-name {values['release']}")
    assert pressed.endswith("nothing of yours: you are not inside.")
    assert game.terminal.who == values["tester"]
    start = game.you.client("codebuild").start_build
    build = start(projectName=values["release"], buildspecOverride="version: 0.2")
    inside = game.become(build).client("s3").get_object(Bucket=values["bucket"], Key=values["file"])
    assert inside["Body"].read().startswith(b"FLAG-")
    assert game.terminal.who == f"in {values['release']}"
    game.run("exit")
    game.run(f"aws codebuild start-build --project-name {values['release']} --buildspec-override x --query build.id")
    assert game.terminal.who == f"in {values['release']}", "whatever is printed of the answer"
    game.run("exit")
    assert game.terminal.who == values["tester"]
    with pytest.raises(ValueError, match="No credentials"):
        game.become(game.you.client("codebuild").list_projects())


def test_an_intruder_is_locked_out_by_the_panels_own_buttons() -> None:
    game = lab.challenge("old-key", seed=SEED)
    for tool in TOOLS:
        press(game, "tool", tool)
        assert game.hosted is not None
    assert not game.check().passed
    press(game, "tool", "cut off")
    rows = {row.value: row for row in game.hosted.rows}
    key = next(value for value, row in rows.items() if "from 198.51.100.66" in row.known)
    role = next(value for value in rows if value.endswith(f"role/{facts('old-key')['values']['export']}"))
    press(game.hosted, "deactivate", key)
    press(game.hosted, "revoke", role)
    assert game.check().passed
    assert "is out, 3 of 3; everybody works, 4 of 4." in str(game)
    assert game.score == 95


def test_a_choice_is_checked_by_what_comes_of_it() -> None:
    game = lab.challenge("who-said-no", seed=SEED)
    assert [choice for choice in game.choices if game.check(choice).passed] == [game.choices[-1]] or game.score
    assert game.score in (100, 75, 50, 25)
    assert "With that changed, the call is" in str(game)


def test_nothing_is_checked_and_nothing_costs_while_a_text_is_not_applied() -> None:
    game = lab.challenge("golf-thumbnails", seed=SEED)
    document: Any = game.hosted.documents[0]  # type: ignore[union-attr]
    document.text = document.text.replace("s3:*", "s3:GetObject")
    press(game, "check")
    assert UNSAVED in str(game)
    assert (game.tries, game.tally) == (0, None), "nor is anything given away"
    document.text = document.text.replace("s3:GetObject", "s3:*")
    press(game, "check")
    assert UNSAVED not in str(game)
    assert "not needed nobody ever asked for it: s3:" in str(game), "and not: not yet allowed"
    assert game.tries == 1


def test_what_is_not_needed_is_shown_by_what_can_be_cut() -> None:
    game = lab.challenge("golf-thumbnails", seed=SEED)
    values = facts("golf-thumbnails")["values"]
    bucket = f"arn:aws:s3:::{values['bucket']}"
    allowed = {"Effect": "Allow", "Resource": [bucket, f"{bucket}/*"]}
    allowed["Action"] = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    names = {"RoleName": values["worker"], "PolicyName": values["worker"]}
    game.you.client("iam").put_role_policy(**names, PolicyDocument=document)
    shown = [each.does for each in game.check().rows if not each.right]
    assert len(shown) == 3
    assert not [each for each in shown if f"s3:GetObject on {bucket}/large/" in each], "a folder's /* is not too much"


def test_a_check_without_an_answer_costs_nothing() -> None:
    game = lab.challenge("who-said-no", seed=SEED)
    press(game, "check")
    assert "Choose one of them." in str(game)
    assert f"  a) {game.choices[0]}".replace("`", "") in str(game)
    assert game.tries == 0
    assert game.check("a").passed is not None, "a letter is a choice"


def test_what_was_mended_is_drawn_as_it_is_after_mending() -> None:
    game = lab.challenge("the-report-is-late", seed=SEED)
    values = facts("the-report-is-late")["values"]
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust["Principal"] = {"AWS": f"arn:aws:iam::111111111111:role/{values['machine']}"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    game.you.client("iam").update_assume_role_policy(RoleName=values["reports"], PolicyDocument=document)
    assert game.check().passed
    assert f"assumes the role {values['reports']}" in str(game)
    assert "only if" not in str(game)


def test_who_gives_up_sees_how_it_is_done_and_gets_no_points(thief: Play) -> None:
    press(thief, "give up")
    assert thief.score is None, "first come the hints"
    for _ in range(4):
        press(thief, "hint")
    assert thief.hinted == 3
    press(thief, "give up")
    text = str(thief)
    assert "lambda.create_function\n" in text
    assert "  FunctionName = peek\n" in text, "a line for each parameter"
    assert "def handler(event, context):\n" in text, "code as one writes it"
    assert progress.challenges()["passrole-lambda 7"]["score"] == 0
    assert progress.challenge_points() == (0, 0)
    assert thief.check(solve(thief)).passed
    assert thief.score == 0, "and none afterwards"


def test_to_play_it_once_more_takes_no_points_away(thief: Play) -> None:
    thief.check(solve(thief))
    again = lab.challenge("passrole-lambda", seed=SEED)
    again.hint()
    assert progress.challenge_points() == (1, 100)
    again.check(solve(again))
    assert again.score == 85
    assert progress.challenge_points() == (1, 100)


def test_a_challenge_whose_world_is_over_says_so(thief: Play) -> None:
    Cloud.start()
    assert thief.check("FLAG-x").sentence == OVER
    assert OVER in str(thief)


def test_the_same_challenge_for_everybody_every_day() -> None:
    assert today() == int(f"{datetime.now(UTC):%Y%m%d}")
    one, other = lab.challenge(seed=20261129), lab.challenge(seed=20261129)
    assert (one.challenge, one.story) == (other.challenge, other.story)
    assert len({lab.challenge(seed=20261129 + day).challenge.name for day in range(8)}) > 3


def test_a_challenge_is_chosen_from_the_list_and_left_again(thief: Play) -> None:
    listed = Challenges()
    assert "The helpful intern" in str(listed)
    press(listed, "kind", "mend")
    assert "The helpful intern" not in str(listed)
    press(listed, "seed", "4")
    press(listed, "begin", "the-report-is-late")
    assert listed.hosted is listed.play
    assert listed.play.seed == 4
    press(listed, "back")
    assert "The report is late" in str(listed)
    press(listed, "begin", "")
    assert listed.play.seed == today()


def test_the_playground_goes_into_the_world_of_the_challenge() -> None:
    playground = Playground()
    press(playground, "open", "challenges")
    before = playground.world
    press(playground.panel, "begin", "old-key")
    press(playground, "open", "graph")
    assert playground.panel.world is playground.world is not before
    press(playground, "open", "challenges")
    assert playground.panel.play is not None, "it is still being played"


def test_the_map_and_the_room_know_what_has_been_won(thief: Play, tmp_path: Path) -> None:
    assert "Challenges: break in" in str(lab.overview())
    thief.check(solve(thief))
    assert "Challenges: 1 solved, 100 points." in str(lab.overview())
    assert progress.last_entry(progress.own_lessons()) == ("", "", ""), "a challenge is no lesson to go on with"
    home = tmp_path / "carol"
    home.mkdir()
    (home / "progress.json").write_bytes(progress.place().read_bytes())
    room = read_folder(tmp_path)
    assert "1 solved, 100 points" in str(room)
    assert "1 solved, 100 points" in page(room)
    assert "challenge passrole-lambda 7,," in scores(room)


def test_every_cell_of_the_notebook_runs() -> None:
    cells = json.loads((ROOT / "notebooks" / "challenges.ipynb").read_text(encoding="utf-8"))["cells"]
    scope: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), scope)
    assert scope["game"].seed == today()


def test_the_command_lists_checks_and_hands_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert "passrole-lambda" in capsys.readouterr().out
    assert main(["check", "passrole-lambda", "--seeds", "1"]) == 0
    assert "lambda:CreateFunction on" in capsys.readouterr().out
    assert main(["check", "passrole-lamda"]) == 2
    assert "Did you mean `passrole-lambda`?" in capsys.readouterr().err
    notebook = tmp_path / "tuesday.ipynb"
    assert main(["set", "old-key:12", "passrole-lambda", "--seed", "7", "--notebook", str(notebook)]) == 0
    cells = ["".join(cell["source"]) for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]]
    assert cells[2] == 'from simlib import lab\n\ngame = lab.challenge("old-key", seed=12)\ngame'
    assert 'lab.challenge("passrole-lambda", seed=7)' in cells[-1]


@pytest.mark.parametrize("seed", ["abc", "", "-1", "1.5", "9" * 5000])
def test_a_seed_that_is_no_number_begins_nothing_and_is_answered_by_a_sentence(seed: str) -> None:
    listed = Challenges()
    press(listed, "seed", seed)
    press(listed, "begin", "old-key")
    assert listed.play is None
    assert "A seed is a whole number" in str(listed)
    press(listed, "seed", "7")
    press(listed, "begin", "old-key")
    assert listed.play.seed == 7
    press(listed, "back")
    assert "A seed is a whole number" not in str(listed)
