"""What the first page asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.beginnings import ALICE
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Start here"

QUESTIONS = {
    "a new user looks around": Prediction(
        "Alice is a new user in dev, and nobody has said what she may do. She asks for the list of users. What does "
        "AWS answer?",
        (
            "It sends the list: reading harms nobody.",
            "It refuses.",
        ),
        answer=1,
        because="AWS starts from no. Whatever nobody has allowed is refused, reading too. Only a policy can turn the "
        "no into a yes, and that is what this course is about.",
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
        waits_for="Put the missing word into the policy above: Alice may list the users, and do nothing else.",
        given=(GAP,),
        judge=policies(
            [
                Ask("Alice", "lists the users", ALICE, "iam:ListUsers", USERS, True),
                Ask("Alice", "makes a user", ALICE, "iam:CreateUser", f"{USERS}carol", False),
                Ask("Alice", "lists the roles", ALICE, "iam:ListRoles", "arn:aws:iam::111111111111:role/", False),
                Ask("Alice", "lists the buckets", ALICE, "s3:ListAllMyBuckets", "*", False),
            ],
            At(ALICE, "identity", "first"),
        ),
        hints=(
            "The call was `list_users`. AWS writes the same thing in another way.",
            "An action is the service, a colon, and the operation: its words begin with capitals, and nothing stands "
            "between them.",
            "The word is `ListUsers`, so that the action is `iam:ListUsers`.",
        ),
        solution=f'ALICE_MAY = """{GAP.replace("iam:", "iam:ListUsers")}"""\n',
        because="One action, allowed. A star would have allowed making and deleting users, too.",
    ),
}
