"""What lesson 3 asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.beginnings import ALICE, allow
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Permission policies and who wins"

MINUTES = {"": 19, "Who can grant": 14, "Make it: a policy for Alice": 9}

QUESTIONS = {
    "allow and deny": Prediction(
        "One of Alice's policies allows `s3:GetObject`. The newer one denies it. She asks for the file. What does "
        "AWS answer?",
        (
            "No: a deny wins over every allow.",
            "Yes: one allow is enough.",
            "No, because the deny is newer. An older deny would lose.",
        ),
        answer=0,
        because="AWS reads all policies together, as if they were one. If any matching statement says `Deny`, the "
        "answer is no. It does not matter which policy is newer, which comes first, or who wrote it. The message "
        "says `with an explicit deny`.",
    ),
    "a boundary for bob": Prediction(
        "Bob has no policy. His permissions boundary allows everything in S3. May he read the report?",
        (
            "Yes: the boundary allows it.",
            "No: nothing grants it.",
        ),
        answer=1,
        because="A permissions boundary sets the most that permissions policies can give. It takes away what goes "
        "beyond it, and it gives nothing. Bob has no permissions that it could limit.",
    ),
    "an scp for dev": Prediction(
        "Bob has no policy again. A service control policy on his account allows `s3:Get*`. May he read the report?",
        (
            "No: the SCP grants nothing.",
            "Yes: head-office manages dev, and allows it.",
        ),
        answer=0,
        because="An SCP limits a whole account: everybody in it, even its administrator and its root user. But it "
        "gives nobody anything. Permissions come from policies inside the account.",
    ),
    "a generous session policy": Prediction(
        "The role `writer` may only write. Alice assumes it with a session policy that allows everything. What may "
        "her session do?",
        (
            "Everything: the session policy says so.",
            "Write, and nothing else.",
            "Nothing: a session policy must not allow more than the role.",
        ),
        answer=1,
        because="A session may do what the role **and** the session policy allow. So you can make a session "
        "smaller, for a program that needs less. Nobody can make it larger. Otherwise anybody who assumes a role "
        "could give themselves permissions.",
    ),
    "the bucket names bob": Prediction(
        "Bob has no policy, only his boundary, which allows S3. The bucket policy names him. May he read?",
        (
            "Yes: within one account, one grant is enough.",
            "No: without a policy of his own, Bob may do nothing.",
        ),
        answer=0,
        because="Two kinds of policies can grant: those of the identity, and that of the resource. Within one "
        "account, either is enough. Between two accounts, you need both: that is lesson 5.\n\n"
        "One detail: if a resource-based policy names a **user**, that user's boundary need not allow the call; only a "
        "`Deny` in it counts. A role's boundary must allow it.",
    ),
    "the mfa trap": Prediction(
        "Alice's key has used no second factor, and neither has the session of `writer`. The policy denies "
        "everything where `aws:MultiFactorAuthPresent` is `false`. Whom does it stop?",
        (
            "Both.",
            "Alice's key only.",
            "The session only.",
            "Neither of them.",
        ),
        answer=2,
        because="With an access key, the condition key is not `false`: it is **absent**, and `Bool` matches only a "
        "key that is present. So the rule stops machines, which have no second factor, and lets the stolen key "
        "through – exactly what it was meant to stop. `BoolIfExists` also matches when the key is absent.",
    ),
    "four policies and a delete": Prediction(
        "A role's permissions policy allows `s3:*`. Its permissions boundary allows `s3:*`. The SCP of its account "
        "allows everything. An RCP on the bucket's account denies `s3:DeleteObject` for everybody outside the "
        "security team. The role, in the same account, is not in that team. May its session delete an object?",
        (
            "Yes: the role's own policy allows it, and an RCP is for strangers.",
            "Yes: three policies allow it, and only one denies it.",
            "No: the RCP denies it, and a deny anywhere wins.",
            "No: a boundary never allows a delete.",
        ),
        answer=2,
        because="AWS does not count votes. One matching explicit deny decides, and an RCP applies to everybody who "
        "uses the account's resources, its own roles included.\n\n"
        "The boundary allows `s3:*`, so it does not stand in the way. The permissions policy is the grant, and it "
        "would have been enough without the deny.",
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
        waits_for="Change the policy in the cell above: it must stop Alice's key without MFA, but not a role's "
        "session.",
        given=(MFA_TRAP,),
        judge=policies(
            [
                Ask("Alice's key, without MFA,", "reads the report", ALICE, "s3:GetObject", REPORT, False),
                Ask("Alice, who has proved MFA,", "reads the report", ALICE, "s3:GetObject", REPORT, True, PROVED),
                Ask(
                    "A session of Alice's, without MFA,",
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
            "There are two mistakes. One lets somebody through, the other stops somebody. Repair one after the other.",
            "For an access key, the condition key is absent: which operator also matches then? And a second "
            "condition can limit the rule to users.",
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
        because="All operators in one `Condition` must match. `BoolIfExists` matches where the key is `false` or "
        "absent, and `aws:PrincipalType` limits the rule to users. In practice you would attach such a policy to "
        "people only.",
    ),
    "a policy for alice": Exercise(
        waits_for="Write Alice's policy in the cell above: read and list, write below alice/, delete nothing.",
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
            "There are three permissions, so write three statements: one for each kind of resource.",
            "`s3:ListBucket` is about the bucket, `s3:GetObject` about the objects in it, and `s3:PutObject` only "
            "about objects whose names begin with `alice/`. AWS refuses what you do not mention.",
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
        because="You need no `Deny`: the policy does not mention deleting, so nothing allows it. The slash in "
        "`alice/*` matters: `alice*` would match `alicexyz.csv`, too.",
    ),
}
