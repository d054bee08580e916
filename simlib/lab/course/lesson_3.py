"""What lesson 3 asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.beginnings import ALICE, allow
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Permission policies and who wins"

QUESTIONS = {
    "allow and deny": Prediction(
        "One of Alice's policies allows `s3:GetObject`, the newer one denies it. She asks for the file. What does AWS "
        "say?",
        (
            "No: a deny wins over every allow.",
            "Yes: one allow is enough.",
            "No, because the deny is newer. Had it been there first, the allow would win.",
        ),
        answer=0,
        because="AWS reads all policies first, as if they were one. If any statement that matches says `Deny`, the "
        "answer is no. Neither age nor order counts, nor who wrote it. The message tells: `with an explicit deny`.",
    ),
    "a boundary for bob": Prediction(
        "Bob has no policy. His permissions boundary allows everything in S3. May he read the report?",
        (
            "Yes: the boundary allows it.",
            "No: nothing grants it.",
        ),
        answer=1,
        because="A boundary says how far permissions may go. It is a ceiling: it can cut off what is above it, and it "
        "holds nothing up. Bob has no permissions that it could limit.",
    ),
    "an scp for dev": Prediction(
        "Bob has no policy again. A service control policy on his account allows `s3:Get*`. May he read the report?",
        (
            "No: it grants nothing.",
            "Yes: head-office stands above dev, and allows it.",
        ),
        answer=0,
        because="An SCP is the ceiling over an account. Everybody in it is below, its administrator and its root user "
        "too. But it gives nobody anything. Permissions come from policies inside the account.",
    ),
    "a generous session policy": Prediction(
        "The role `writer` may only write. Alice borrows it with a session policy that allows everything. What may her "
        "session do?",
        (
            "Everything: the session policy says so.",
            "Write, and nothing else.",
            "Nothing: a session policy may not allow more than the role.",
        ),
        answer=1,
        because="A session may do what the role **and** the session policy allow. Who borrows can make the session "
        "smaller, for a program that need not do everything. Nobody can make it larger, or else every borrower would "
        "write her own permissions.",
    ),
    "the bucket names bob": Prediction(
        "Bob has no policy; there is only his boundary, which allows S3. The bucket's policy names him. May he read?",
        (
            "Yes: within one account one grant is enough.",
            "No: without a policy of his own Bob may do nothing.",
        ),
        answer=0,
        because="Two parties can grant: the identity's own policies, and the policy of the resource. Within one "
        "account either of them is enough. Between two accounts both must: that is lesson 5.\n\n"
        "One exception belongs here. What a resource gives to a **user** by name, the user's boundary need not allow; "
        "only a `Deny` in it would count. A role's boundary must allow it.",
    ),
    "the mfa trap": Prediction(
        "Alice has used no second factor, and neither has the session of `writer`. The policy denies everything where "
        "`aws:MultiFactorAuthPresent` is `false`. Whom does it stop?",
        (
            "Both.",
            "Alice's key only.",
            "The session only.",
            "Neither of them.",
        ),
        answer=2,
        because="With an access key the condition key is not `false`: it is **not there at all**, and `Bool` matches "
        "only what is there. So the rule stops the machines, which have no second factor, and spares the stolen key, "
        "against which it was written. `BoolIfExists` also matches where the key is absent.",
    ),
}

WRITER = "arn:aws:iam::111111111111:role/writer"
BUCKET = "arn:aws:s3:::my-secure-bucket"
REPORT = f"{BUCKET}/report.csv"
PROVED, NOT_PROVED = ({"aws:MultiFactorAuthPresent": word} for word in ("true", "false"))

MFA_TRAP = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Deny",
      "Action": "*",
      "Resource": "*",
      "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "false" } }
    }
  ]
}"""

EXERCISES = {
    "the mfa trap": Exercise(
        waits_for="Change the policy in the cell above: Alice's key without MFA must be stopped, a role's session not.",
        given=(MFA_TRAP,),
        judge=policies(
            [
                Ask("Alice's key, without MFA,", "reads the report", ALICE, "s3:GetObject", REPORT, False),
                Ask("Alice, who has proved MFA,", "reads the report", ALICE, "s3:GetObject", REPORT, True, PROVED),
                Ask(
                    "A session of Alice's, opened without MFA,",
                    "reads the report",
                    ALICE,
                    "s3:GetObject",
                    REPORT,
                    False,
                    NOT_PROVED,
                ),
                Ask("A session of the role writer", "writes", WRITER, "s3:PutObject", f"{BUCKET}/a", True, NOT_PROVED),
            ],
            At(ALICE, "identity", "mfa"),
            At(WRITER, "identity", "mfa"),
            besides={At(who, "identity", "allow-s3"): allow("s3:*") for who in (ALICE, WRITER)},
        ),
        hints=(
            "There are two mistakes: one spares somebody, the other stops somebody. Mend them one after the other.",
            "For a key the condition key is absent: which operator also matches then? And a second condition can say "
            "that only users are meant.",
            "Use `BoolIfExists` for `aws:MultiFactorAuthPresent`. Beside it, in the same `Condition`, add "
            "`StringEquals` for `aws:PrincipalType`.",
        ),
        solution='''MFA_REPAIRED = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Deny",
      "Action": "*",
      "Resource": "*",
      "Condition": {
        "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" },
        "StringEquals": { "aws:PrincipalType": "User" }
      }
    }
  ]
}"""
''',
        because="Operators in one `Condition` must all match. `BoolIfExists` matches where the key is `false` or "
        "absent, and `aws:PrincipalType` limits the rule to users. In practice, you would attach such a policy to "
        "people only.",
    ),
    "a policy for alice": Exercise(
        waits_for="Write Alice's policy into the cell above: read and list, write below alice/, delete nothing.",
        given=("",),
        judge=policies(
            [
                Ask("Alice", "reads report.csv", ALICE, "s3:GetObject", REPORT, True),
                Ask("Alice", "reads bob/notes.csv", ALICE, "s3:GetObject", f"{BUCKET}/bob/notes.csv", True),
                Ask("Alice", "lists the bucket", ALICE, "s3:ListBucket", BUCKET, True),
                Ask("Alice", "writes alice/plan.csv", ALICE, "s3:PutObject", f"{BUCKET}/alice/plan.csv", True),
                Ask("Alice", "overwrites report.csv", ALICE, "s3:PutObject", REPORT, False),
                Ask("Alice", "writes bob/notes.csv", ALICE, "s3:PutObject", f"{BUCKET}/bob/notes.csv", False),
                Ask("Alice", "writes alicexyz.csv", ALICE, "s3:PutObject", f"{BUCKET}/alicexyz.csv", False),
                Ask("Alice", "deletes alice/plan.csv", ALICE, "s3:DeleteObject", f"{BUCKET}/alice/plan.csv", False),
                Ask("Alice", "deletes report.csv", ALICE, "s3:DeleteObject", REPORT, False),
                Ask("Alice", "changes the bucket's policy", ALICE, "s3:PutBucketPolicy", BUCKET, False),
                Ask("Alice", "reads another bucket", ALICE, "s3:GetObject", "arn:aws:s3:::other/report.csv", False),
                Ask("Alice", "lists the users", ALICE, "iam:ListUsers", "arn:aws:iam::111111111111:user/", False),
            ],
            At(ALICE, "identity", "alice"),
        ),
        hints=(
            "Three wishes, three statements: one for each resource on which something is allowed.",
            "`s3:ListBucket` is asked for on the bucket, `s3:GetObject` on what is in it, and `s3:PutObject` only on "
            "what begins with `alice/`. What you do not mention is refused.",
            "`arn:aws:s3:::my-secure-bucket` for listing, `arn:aws:s3:::my-secure-bucket/*` for reading, "
            "`arn:aws:s3:::my-secure-bucket/alice/*` for writing.",
        ),
        solution='''ALICE_MAY = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::my-secure-bucket"
    },
    {
      "Effect": "Allow",
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::my-secure-bucket/*"
    },
    {
      "Effect": "Allow",
      "Action": "s3:PutObject",
      "Resource": "arn:aws:s3:::my-secure-bucket/alice/*"
    }
  ]
}"""
''',
        because="Nothing has to be forbidden: deleting is not mentioned, so nobody has allowed it. The slash in "
        "`alice/*` counts: `alice*` would also be `alicexyz.csv`.",
    ),
}
