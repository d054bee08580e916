"""What the first page asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.beginnings import ALICE
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Start here"
MINUTES = {"": 13}

QUESTIONS = {
    "a new user looks around": Prediction(
        "Alice is a new user in dev. No policy says what she may do. She asks for the list of users. What does AWS "
        "answer?",
        (
            "It sends the list: reading does no harm.",
            "It refuses.",
        ),
        answer=1,
        because="AWS starts with no. It refuses every call that no policy allows, and reading is no exception. "
        "Only a policy can turn the no into a yes. This course is about those policies.",
    ),
}

USERS = "arn:aws:iam::111111111111:user/"
GAP = """{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": "iam:", "Resource": "*" }
  ]
}"""

EXERCISES = {
    "your first policy": Exercise(
        waits_for="Add the missing word to the policy above, so that Alice may list the users and do nothing else.",
        given=(GAP,),
        judge=policies(
            [
                Ask("Alice", "lists the users", ALICE, "iam:ListUsers", USERS, True),
                Ask("Alice", "creates a user", ALICE, "iam:CreateUser", f"{USERS}carol", False),
                Ask("Alice", "lists the roles", ALICE, "iam:ListRoles", "arn:aws:iam::111111111111:role/", False),
                Ask("Alice", "lists the buckets", ALICE, "s3:ListAllMyBuckets", "*", False),
            ],
            At(ALICE, "identity", "first"),
        ),
        hints=(
            "You called `list_users`. A policy writes the same operation differently.",
            "An action is the service, a colon, and the operation. The operation has no underscores, and each word "
            "in it begins with a capital letter.",
            "The word is `ListUsers`, so the action is `iam:ListUsers`.",
        ),
        solution=f'ALICE_MAY = """{GAP.replace("iam:", "iam:ListUsers")}"""\n',
        because="One action is allowed. With a star, Alice could create and delete users, too.",
    ),
}
