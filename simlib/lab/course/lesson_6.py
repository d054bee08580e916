"""What lesson 6 asks its reader to predict and to make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simlib.lab.beginnings import ALICE
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Roles for machines and pipelines"

QUESTIONS = {
    "the name of the role": Prediction(
        "The role `web-app` exists and trusts EC2. The administrator starts a machine and names `web-app`. What "
        "happens?",
        (
            "The machine starts, with the role.",
            "The machine starts, without a role.",
            "No machine starts: there is no instance profile of this name.",
        ),
        answer=2,
        because="A machine is not given a role but an **instance profile**, a box that holds one role. The console "
        "makes the box for you and gives it the role's name, so that the two look like one thing. The API does not.",
    ),
    "alice starts a machine": Prediction(
        "Alice may start machines, and she may assume every role. Her machine is to have the role `deploy`. What "
        "does AWS answer?",
        (
            "It refuses: she may not pass the role.",
            "It starts the machine: who may assume a role may also use it on a machine.",
            "It starts the machine, and Alice becomes its user.",
        ),
        answer=0,
        because="To **assume** a role is to act as it yourself. To **pass** it is to have somebody else act as it: a "
        "machine, a function. These are two permissions, `sts:AssumeRole` and `iam:PassRole`, and neither holds the "
        "other. (`AssumeRole` would not even have worked: `deploy` trusts EC2, not Alice.)",
    ),
    "what alice has become": Prediction(
        "Alice may start machines and pass roles. She may not list users. Her machine has the role `deploy`, which "
        "may do everything. Who can list the users of the account?",
        (
            "The machine, and so Alice.",
            "Neither of the two: the machine belongs to Alice, and she may not.",
            "Both: the role's rights pass on to Alice.",
        ),
        answer=0,
        because="The machine acts as the role. Alice has logged on to the machine, so she has what it has. In her "
        "own policies you find no word of it. Passing a powerful role is as good as being an administrator; that is "
        "why it is a right of its own.",
    ),
    "mallory asks for a preview": Prediction(
        "Mallory asks the web application for a preview of an address of the metadata service. It sends a plain "
        "`GET`, without a token. What comes back?",
        (
            "Nothing: the metadata service answers only to programs of the administrator.",
            "An error: it wants a token first.",
            "The machine's credentials.",
        ),
        answer=2,
        because="The metadata service answers to whatever asks from inside the machine, and the request came from "
        "inside. In **version 1** a simple `GET` is enough, and nearly every program that fetches addresses can be "
        "talked into one.",
    ),
    "version two": Prediction(
        "Version 2 wants a token, which is fetched with a `PUT` and sent along in a header. The same preview again; "
        "and the AWS CLI on the machine. Who gets credentials?",
        (
            "The AWS CLI only.",
            "Both.",
            "Neither: the role is gone.",
        ),
        answer=0,
        because="The SDKs and the CLI have fetched a token for years, so nothing changes for them. A preview can "
        "only send a `GET` to an address, without headers of its own: `401`. One setting stops a whole kind of "
        "attack.",
    ),
    "a function with web-app": Prediction(
        "The role `web-app` trusts EC2. The administrator makes a Lambda function with it. What does AWS answer?",
        (
            "It makes the function: an AWS service is an AWS service.",
            "It refuses: Lambda cannot assume this role.",
            "It makes the function, which fails when it runs.",
        ),
        answer=1,
        because="The trust policy names `ec2.amazonaws.com`. Lambda is another principal, `lambda.amazonaws.com`, "
        "and whoever is not named does not come in. The administrator may pass the role, but that is the other "
        "half.",
    ),
    "the pipeline knocks": Prediction(
        "The pipeline runs on GitHub's machines. It has no AWS key at all, and sends its token from the branch "
        "`main`. What does it get?",
        (
            "A session of the role.",
            "A refusal: every call to AWS must be signed with a key.",
            "A key for later calls.",
        ),
        answer=0,
        because="`AssumeRoleWithWebIdentity` is not signed: the token takes the place of the signature. AWS checks "
        "who signed the token, for whom it was made and whether it is still good, and then the trust policy's "
        "conditions. What comes back is a session like any other, and it ends.",
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


def _knocks(name: str, who: Callable[[Any], str], should: bool) -> Ask:
    return Ask(name, "borrows the role", who, "sts:AssumeRoleWithWebIdentity", PIPELINE, should)


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
                Ask("Alice", "borrows deploy", ALICE, "sts:AssumeRole", DEPLOY, False),
                Ask("Alice", "changes the role web-app", ALICE, "iam:PutRolePolicy", WEB_APP, False),
            ],
            At(ALICE, "identity", "start-machines"),
        ),
        hints=(
            "On what is `iam:PassRole` asked for? And what does a condition know besides?",
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
        because="The role is the resource, the service a condition. Never write `iam:PassRole` on `*`: that is "
        "every role that trusts a service Alice can use.",
    ),
    "main and nothing else": Exercise(
        waits_for="Write the trust policy into the cell above: the branch main of example/shop, and no other workflow.",
        given=("",),
        judge=policies(
            [
                _knocks("The branch main of example/shop", _workflow("example/shop"), True),
                _knocks("Another branch of example/shop", _workflow("example/shop", "refs/heads/try"), False),
                _knocks("The branch mainly of example/shop", _workflow("example/shop", "refs/heads/mainly"), False),
                _knocks("Another repository, example/blog,", _workflow("example/blog"), False),
                _knocks("Mallory's repository mallory/shop", _workflow("mallory/shop"), False),
                _knocks("A repository example/shop-2", _workflow("example/shop-2"), False),
                _knocks("A token for another audience", _workflow("example/shop", aud="mallory.example"), False),
            ],
            At(PIPELINE, "trust"),
        ),
        hints=(
            "Take `TRUST_PIPELINE` and look at its two conditions. Which of them is too wide?",
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
        because="Whoever can push to a branch that comes in can do what the role may do. So the list of branches is "
        "the list of people. AWS saves no trust in GitHub without a condition on `sub`, but it does save `repo:*`, "
        "with which every repository would come in.",
    ),
}
