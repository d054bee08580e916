"""What lesson 1 asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.beginnings import ALICE
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Users and roles"
MINUTES = {"": 18, "Two policies, two refusals": 17, "Leak both": 10}

QUESTIONS = {
    "a key and no policy": Prediction(
        "Alice's key is valid. No policy says anything about Alice yet. She asks for the list of files in the "
        "bucket. What does AWS answer?",
        (
            "It sends the list: the key proves that she is Alice.",
            "It refuses: nobody has allowed her to do that.",
            "It reports an error: a key does not work until a policy is attached.",
        ),
        answer=1,
        because="AWS asks two questions about every call. Who is calling? The key answers that: the message names "
        "`user/alice`. May she do this? AWS starts with no, and only a policy can turn that into a yes.\n\n"
        "The message says what is missing: `no identity-based policy allows the s3:ListBucket action`.",
    ),
    "a year later": Prediction(
        "Alice is away for a year. Nobody uses her key, and nobody changes it. Does it still work?",
        (
            "No: a key expires after 90 days.",
            "No: AWS deactivates a key that nobody uses.",
            "Yes, as on the first day.",
        ),
        answer=2,
        because="An access key has no expiry date. It works until somebody deletes or deactivates it. AWS can tell "
        "you how old a key is and when it was last used. It does not end the key for you.",
    ),
    "no key on the machine": Prediction(
        "Nobody has put a key on this machine. What does `aws s3 ls s3://my-secure-bucket` print there?",
        (
            "The list of files.",
            "“Unable to locate credentials”.",
            "A prompt for a user name and a password.",
        ),
        answer=0,
        because="The AWS CLI looked for a key in its environment and in its files, and found none. Then it asked "
        "the metadata service of the machine, which had temporary credentials of the role `web-app` ready.",
    ),
    "the permission is gone": Prediction(
        "You delete the role's permissions policy. The machine still holds credentials that are valid for hours. "
        "What happens to its next `aws s3 ls`?",
        (
            "AWS refuses it at once.",
            "It works until those credentials expire.",
            "The machine loses its credentials.",
        ),
        answer=0,
        because="Credentials only say who is calling. AWS decides what the caller may do at every call, by the "
        "policies as they are at that moment.\n\n"
        "So a change to a permissions policy takes effect at once, for open sessions too.",
    ),
    "the trust is gone": Prediction(
        "Now you change the other policy: the trust policy names Lambda instead of EC2. The machine still holds "
        "credentials that are valid for hours. What happens to its next `aws s3 ls`?",
        (
            "AWS refuses it at once.",
            "It works for now, and stops when those credentials expire.",
            "It works for good: the machine already has the role.",
        ),
        answer=1,
        because="AWS reads the trust policy when somebody assumes the role, and only then. An open session stays "
        "open until it expires.\n\n"
        "EC2 assumes the role again every few hours. After the change it may not, and the metadata service says so: "
        "`AssumeRoleUnauthorizedAccess`. The machine then has nothing to sign its calls with.",
    ),
    "the administrator knocks": Prediction(
        "As the administrator you may do everything: your policy allows every action on every resource. The trust "
        "policy of `web-app` names only a service. May you assume the role?",
        (
            "No. The role does not trust you.",
            "Yes. Your policy allows every action, and assuming a role is an action.",
        ),
        answer=0,
        because="Your policy lets you ask for every role. The role's trust policy decides who gets it, and it does "
        "not name you. (You can change the trust policy, of course. The trail shows it if you do.)\n\n"
        "So there are two refusals. Without the permission, S3 refuses the session, and the message names "
        "`s3:ListBucket`. Without the trust, there is no session at all: the message names `sts:AssumeRole` and the "
        "role, and AWS gives no reason.",
    ),
    "the day after": Prediction(
        "Nobody notices the leak. Which of Mallory's two copies still works the next day?",
        (
            "Both.",
            "Only Alice's key.",
            "Only the credentials of the role session.",
            "Neither.",
        ),
        answer=1,
        because="The session ended at its `Expiration`, and so did every copy of it: `The provided token has "
        "expired.` The key has no end, so its copy has none. It works until somebody notices.\n\n"
        "A leaked session is still bad. A few hours are enough to copy a bucket, and whoever can still reach the "
        "machine can fetch the next session.",
    ),
    "a laptop and a build server": Prediction(
        "A firm gives its build server (an EC2 instance) the access key of a user `ci`. Somebody proposes: “Delete "
        "the user, give the instance a role with the same permissions policy.” What does the firm gain?",
        (
            "Nothing: the permissions are the same.",
            "The build can do less than before.",
            "A leaked credential ends by itself, and there is no key to store or rotate.",
            "Nobody can steal credentials from the server any more.",
        ),
        answer=2,
        because="The permissions policy is the same, so the build can do exactly what it could before. What "
        "changes is the credential: it has an end, EC2 renews it, and no file holds a key.\n\n"
        "“Nobody can steal” goes too far: whoever controls the machine can read its metadata service, as Mallory "
        "did. But what she gets expires within hours.",
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
            "Look at the article's policy. It has two actions. One of them is about the bucket as a whole.",
            "Reading a file is `s3:GetObject`. Its resource is not the bucket but the file in it.",
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
        because="AWS refuses whatever the policy does not mention, so you need no `Deny`. Listing is about the "
        "bucket, reading is about a file in it. That is why the article's policy has two resources.",
    ),
}
