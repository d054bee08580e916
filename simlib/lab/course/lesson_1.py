"""What lesson 1 asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.beginnings import ALICE
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Users and roles"

QUESTIONS = {
    "a key and no policy": Prediction(
        "Alice's key is valid, and no policy says anything about Alice yet. She asks for the list of files in the "
        "bucket. What does AWS answer?",
        (
            "It sends the list: the key proves that she is Alice.",
            "It refuses: nobody has allowed her to do that.",
            "It reports an error: a key does not work before it has a policy.",
        ),
        answer=1,
        because="AWS asks two questions about every call. Who is calling? The key has answered that: the message names "
        "`user/alice`. May she do this? AWS starts from no, and only a policy can turn it into a yes.\n\n"
        "The message says what is missing: `no identity-based policy allows the s3:ListBucket action`.",
    ),
    "a year later": Prediction(
        "Alice goes on a long leave. For one year nobody uses her key, and nobody changes it. Does it still work?",
        (
            "No, a key expires after 90 days.",
            "No, AWS switches off a key that nobody uses.",
            "Yes, as on the first day.",
        ),
        answer=2,
        because="An access key has no expiry date. It works until somebody deletes it or makes it inactive. AWS can "
        "tell you how old a key is and when it was last used. It will not end it for you.",
    ),
    "no key on the machine": Prediction(
        "Nobody has put a key on this machine. What does `aws s3 ls s3://my-secure-bucket` print there?",
        (
            "The list of files.",
            "“Unable to locate credentials”.",
            "A question for a user name and a password.",
        ),
        answer=0,
        because="The AWS CLI looked for a key in its environment and in its files, and found none. Then it asked the "
        "machine itself. Temporary credentials of the role `web-app` were lying there, ready for use.",
    ),
    "the permission is gone": Prediction(
        "The administrator deletes the role's permissions policy. The machine still holds credentials that are good "
        "for hours. What happens to its next `aws s3 ls`?",
        (
            "It is refused at once.",
            "It works until those credentials expire.",
            "The machine loses its credentials.",
        ),
        answer=0,
        because="Credentials only say who is calling. What the caller may do is looked up at every call, in the "
        "policies as they are at that moment.\n\n"
        "So a changed permissions policy counts at once, for sessions that are already open too.",
    ),
    "the trust is gone": Prediction(
        "Now the other policy: the trust policy no longer names EC2, but Lambda. The machine still holds credentials "
        "that are good for hours. What happens to `aws s3 ls` on it?",
        (
            "It is refused at once.",
            "It works for now, and stops when those credentials run out.",
            "It works for good: the machine has the role already.",
        ),
        answer=1,
        because="The trust policy is read when somebody asks to borrow the role, and only then. What is lent stays "
        "lent until it expires.\n\n"
        "EC2 borrows the role anew every few hours. After the change it may not, and it says so in place of the "
        "credentials: `AssumeRoleUnauthorizedAccess`. The machine is left with nothing to sign a call with.",
    ),
    "the administrator knocks": Prediction(
        "The administrator may do everything: her policy allows every action on every resource. The trust policy of "
        "`web-app` names only a service. May she assume the role?",
        (
            "No. The role does not trust her.",
            "Yes. Her policy allows every action, and assuming a role is an action.",
        ),
        answer=0,
        because="Her own policy lets her knock at every door. Who is let in is decided by the role's trust policy, and "
        "it does not name her. (She can change the trust policy, of course. That is a step one can see.)\n\n"
        "So there are two refusals. Without the permission, the session is refused by S3, and the message names "
        "`s3:ListBucket`. Without the trust, there is no session to begin with: the message names `sts:AssumeRole`, "
        "the resource is the role, and AWS gives no reason.",
    ),
    "the day after": Prediction(
        "Nobody notices the leak. Which of Mallory's two copies still works the day after?",
        (
            "Both.",
            "Only the key of the user Alice.",
            "Only the credentials of the role's session.",
            "Neither.",
        ),
        answer=1,
        because="The session was over at its `Expiration`, and its copy with it: `The provided token has expired.` The "
        "key has no end, so the copy has none. It works until somebody notices.\n\n"
        "A leaked session is still bad. Some hours are enough to copy a bucket, and whoever can still reach the "
        "machine can fetch the next one.",
    ),
    "what the SDK asks for": Prediction(
        "The machine lists the bucket once more. Which calls does AWS receive from it?",
        (
            "Only the listing.",
            "`AssumeRole`, then the listing.",
            "`GetSessionToken`, then the listing.",
        ),
        answer=0,
        because="Neither the SDK nor the CLI has called STS for this. EC2 had obtained the credentials, and the CLI "
        "read them from the metadata service, which is a matter between the machine and itself.\n\n"
        "An SDK calls `AssumeRole` only where a profile tells it to, with `role_arn`.",
    ),
    "a machine for Alice": Prediction(
        "Alice may start machines. She starts one, with the role `web-app` on it. What does she get?",
        (
            "A machine with the role.",
            "A machine without the role.",
            "No machine: she is refused.",
        ),
        answer=2,
        because="To hand a role to a machine is a right of its own: `iam:PassRole`. Without that rule, whoever may "
        "start a machine could use every role that trusts EC2, an administrator's too.\n\n"
        "So it takes three things: a trust policy that names EC2, an instance profile that holds the role, and "
        "somebody who may pass it.",
    ),
}

BUCKET = "arn:aws:s3:::my-secure-bucket"

EXERCISES = {
    "one file for alice": Exercise(
        waits_for="Complete the policy in the cell above: Alice reads report.csv, and nothing else.",
        given=(
            """{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": "", "Resource": "" }
  ]
}""",
        ),
        judge=policies(
            [
                Ask("Alice", "reads report.csv", ALICE, "s3:GetObject", f"{BUCKET}/report.csv", True),
                Ask("Alice", "reads another file", ALICE, "s3:GetObject", f"{BUCKET}/salaries.csv", False),
                Ask("Alice", "lists the bucket", ALICE, "s3:ListBucket", BUCKET, False),
                Ask("Alice", "overwrites report.csv", ALICE, "s3:PutObject", f"{BUCKET}/report.csv", False),
                Ask("Alice", "deletes report.csv", ALICE, "s3:DeleteObject", f"{BUCKET}/report.csv", False),
            ],
            At(ALICE, "identity", "read-report"),
        ),
        hints=(
            "Look at the article's policy: it has two actions, and one of them is about the bucket as a whole.",
            "Reading a file is `s3:GetObject`. The resource is not the bucket but the file in it.",
            "The resource is `arn:aws:s3:::my-secure-bucket/report.csv`.",
        ),
        solution='''ALICE_MAY = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::my-secure-bucket/report.csv"
    }
  ]
}"""
''',
        because="Whatever the policy does not mention is refused, so it needs no word against the rest. Listing is "
        "about the bucket, reading about a file in it: that is why the article's policy has two resources.",
    ),
}
