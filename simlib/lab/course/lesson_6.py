"""What lesson 6 asks its reader to predict and to make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simlib.lab.beginnings import ALICE
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Roles for machines and pipelines"

MINUTES = {"": 17, "What a visitor can ask": 11, "A pipeline outside AWS": 16}

QUESTIONS = {
    "the name of the role": Prediction(
        "The role `web-app` exists and trusts EC2. You start a machine and name `web-app`. What happens?",
        (
            "The machine starts, with the role.",
            "The machine starts, without a role.",
            "No machine starts: there is no instance profile of that name.",
        ),
        answer=2,
        because="You give a machine not a role but an **instance profile**, a container for one role. The console "
        "creates it for you and gives it the role's name, so the two look like one thing. The API does not.",
    ),
    "alice starts a machine": Prediction(
        "Alice may start machines, and she may assume every role. Her machine should have the role `deploy`. What "
        "does AWS answer?",
        (
            "It refuses: she may not pass the role.",
            "It starts the machine: if she may assume a role, she may also use it on a machine.",
            "It starts the machine, and Alice becomes its user.",
        ),
        answer=0,
        because="To **assume** a role is to act as it yourself. To **pass** it is to let a service act as it: a "
        "machine, a function. These are two permissions, `sts:AssumeRole` and `iam:PassRole`, and neither includes "
        "the other. (Here `AssumeRole` would not have worked either: `deploy` trusts EC2, not Alice.)",
    ),
    "what alice has become": Prediction(
        "Alice may start machines and pass roles. She may not list users. Her machine has the role `deploy`, which "
        "may do everything. Who can list the users of the account?",
        (
            "The machine, and so Alice.",
            "Neither of the two: the machine belongs to Alice, and she may not.",
            "Both: the role's permissions pass to Alice.",
        ),
        answer=0,
        because="The machine acts as the role. Alice can log in to her machine, so she can do what it can do. Her "
        "own policies do not show this. Passing a powerful role is as good as being an administrator. That is why it "
        "is a permission of its own.",
    ),
    "mallory asks for a preview": Prediction(
        "Mallory asks the web application for a preview of an address of the metadata service. The application "
        "sends a plain `GET`, without a token. What comes back?",
        (
            "Nothing: the metadata service answers only the administrator's programs.",
            "An error: it wants a token first.",
            "The machine's credentials.",
        ),
        answer=2,
        because="The metadata service answers any request from inside the machine, and this one came from inside. "
        "**Version 1** accepts a simple `GET`, and nearly every program that fetches addresses can be tricked into "
        "sending one.",
    ),
    "version two": Prediction(
        "Version 2 requires a token, which a program fetches with a `PUT` and sends in a header. Mallory asks for "
        "the same preview, and you use the AWS CLI on the machine. Who gets credentials?",
        (
            "Only the AWS CLI.",
            "Both.",
            "Neither: the role is gone.",
        ),
        answer=0,
        because="The SDKs and the CLI have fetched a token for years, so nothing changes for them. The preview can "
        "only send a `GET` without headers of its own, and gets `401`. One setting stops a whole kind of attack.",
    ),
    "a function with web-app": Prediction(
        "The role `web-app` trusts EC2. You create a Lambda function with it. What does AWS answer?",
        (
            "It creates the function: an AWS service is an AWS service.",
            "It refuses: Lambda cannot assume this role.",
            "It creates the function, which fails when it runs.",
        ),
        answer=1,
        because="The trust policy names `ec2.amazonaws.com`. Lambda is another service principal, "
        "`lambda.amazonaws.com`, and the trust policy does not name it. You may pass the role, but that is only the "
        "other half.",
    ),
    "the pipeline knocks": Prediction(
        "The pipeline runs on GitHub's machines and has no AWS key. It sends its token, from the branch `main`. "
        "What does it get?",
        (
            "A session of the role.",
            "A refusal: every call to AWS must be signed with a key.",
            "A key for later calls.",
        ),
        answer=0,
        because="`AssumeRoleWithWebIdentity` is not signed: the token takes the place of the signature. AWS checks "
        "who signed the token, which audience it is for, and whether it is still valid. Then it checks the "
        "conditions of the trust policy. The pipeline gets a session like any other, and it expires.",
    ),
    "a review of three roles": Prediction(
        'You review three trust policies. (a) `Principal: {"Service": "ec2.amazonaws.com"}` and no condition. (b) '
        "GitHub, with `sub` like `repo:example/shop:*`. (c) GitHub, with `sub` equal to "
        "`repo:example/shop:ref:refs/heads/main`. Anybody in the firm may open a pull request in `example/shop`, but "
        "only two people may push to `main`. Which role can anybody in the firm use?",
        (
            "(a): every EC2 instance in the world gets it.",
            "(b): a workflow of a pull request has a subject that the star matches.",
            "(c): the workflow of a pull request runs on main.",
            "None of them: all three have a condition or name one service.",
        ),
        answer=1,
        because="A pull request's workflow has the subject `repo:example/shop:pull_request`, and the star matches "
        "it. So whoever can open one can run code with the role. (c) accepts only runs on `main`.\n\n"
        "(a) looks wide, but it names the service: a machine gets the role only through an instance profile in your "
        "account, from somebody who may pass the role.",
    ),
}

WEB_APP, DEPLOY, PIPELINE = (f"arn:aws:iam::111111111111:role/{name}" for name in ("web-app", "deploy", "pipeline"))
TO_EC2, TO_LAMBDA = ({"iam:PassedToService": f"{name}.amazonaws.com"} for name in ("ec2", "lambda"))
MACHINE = "arn:aws:ec2:us-east-1:111111111111:instance/*"

PASS_ANYTHING = """{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*" },
    { "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*" }
  ]
}"""


def _workflow(repository: str, ref: str = "refs/heads/main", **claims: Any) -> Callable[[Any], str]:
    """A token of a workflow, made when the exercise is judged."""
    return lambda world: str(world.oidc_provider().workflow_token(repository, ref=ref, **claims))


def _assumes(name: str, who: Callable[[Any], str], should: bool) -> Ask:
    return Ask(name, "assumes the role", who, "sts:AssumeRoleWithWebIdentity", PIPELINE, should)


EXERCISES = {
    "pass one role": Exercise(
        waits_for="Change Alice's policy in the cell above: she passes web-app to EC2, and nothing else.",
        given=(PASS_ANYTHING,),
        judge=policies(
            [
                Ask("Alice", "starts a machine", ALICE, "ec2:RunInstances", MACHINE, True),
                Ask("Alice", "passes web-app to EC2", ALICE, "iam:PassRole", WEB_APP, True, TO_EC2),
                Ask("Alice", "passes deploy to EC2", ALICE, "iam:PassRole", DEPLOY, False, TO_EC2),
                Ask("Alice", "passes web-app to Lambda", ALICE, "iam:PassRole", WEB_APP, False, TO_LAMBDA),
                Ask("Alice", "passes a role web-app-2 to EC2", ALICE, "iam:PassRole", f"{WEB_APP}-2", False, TO_EC2),
                Ask("Alice", "assumes deploy", ALICE, "sts:AssumeRole", DEPLOY, False),
                Ask("Alice", "changes the role web-app", ALICE, "iam:PutRolePolicy", WEB_APP, False),
            ],
            At(ALICE, "identity", "start-machines"),
        ),
        hints=(
            "What is the resource of `iam:PassRole`? And what can a condition add?",
            "The `Resource` of the second statement becomes the ARN of one role. A `Condition` on "
            "`iam:PassedToService` names the service.",
            "`arn:aws:iam::111111111111:role/web-app`, and `StringEquals` `iam:PassedToService` `ec2.amazonaws.com`.",
        ),
        solution='''PASS_WEB_APP = """{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*" },
    {
      "Effect": "Allow",
      "Action": "iam:PassRole",
      "Resource": "arn:aws:iam::111111111111:role/web-app",
      "Condition": { "StringEquals": { "iam:PassedToService": "ec2.amazonaws.com" } }
    }
  ]
}"""
''',
        because="The role is the resource, the service a condition. Never allow `iam:PassRole` on `*`: that is "
        "every role that trusts a service Alice can use.",
    ),
    "main and nothing else": Exercise(
        waits_for="Write the trust policy in the cell above: the branch main of example/shop, and no other workflow.",
        given=("",),
        judge=policies(
            [
                _assumes("The branch main of example/shop", _workflow("example/shop"), True),
                _assumes("Another branch of example/shop", _workflow("example/shop", "refs/heads/try"), False),
                _assumes("The branch mainly of example/shop", _workflow("example/shop", "refs/heads/mainly"), False),
                _assumes("Another repository, example/blog,", _workflow("example/blog"), False),
                _assumes("Mallory's repository mallory/shop", _workflow("mallory/shop"), False),
                _assumes("A repository example/shop-2", _workflow("example/shop-2"), False),
                _assumes("A token for another audience", _workflow("example/shop", aud="mallory.example"), False),
            ],
            At(PIPELINE, "trust"),
        ),
        hints=(
            "Start from `TRUST_PIPELINE` and look at its two conditions. Which one is too wide?",
            "The subject of a workflow on a branch is `repo:OWNER/NAME:ref:refs/heads/BRANCH`. You know all of it, "
            "so you need no star.",
            "`StringEquals` for both keys: `aud` is `sts.amazonaws.com`, `sub` is "
            "`repo:example/shop:ref:refs/heads/main`.",
        ),
        solution='''PIPELINE_TRUST = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
      },
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Condition": {
        "StringEquals": {
          "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
          "token.actions.githubusercontent.com:sub": "repo:example/shop:ref:refs/heads/main"
        }
      }
    }
  ]
}"""
''',
        because="Whoever can push to a branch that you trust can do what the role may do. AWS saves no trust "
        "policy for GitHub without a condition on `sub`, but it does save `repo:*`, which lets in every repository.",
    ),
}
