"""What lesson 5 asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.beginnings import ALICE, allow
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Across accounts"

QUESTIONS = {
    "prod trusts alice": Prediction(
        "The role in prod names Alice in its trust policy. In dev she has no policy. She asks for the role. What "
        "does AWS answer?",
        (
            "She gets a session: the trust policy names her.",
            "A refusal: her own account must allow it, too.",
            "A refusal: a trust policy cannot name somebody of another account.",
        ),
        answer=1,
        because="Within one account, being named was enough. Across accounts each account speaks for itself: prod "
        "says who may come in, dev says where its people may go. One of them alone can open nothing.",
    ),
    "one organization": Prediction(
        "dev and prod are members of one organization. prod's trust policy names Alice; her own policy is gone "
        "again. What now?",
        (
            "A refusal, as before.",
            "She gets a session: within an organization one side is enough.",
        ),
        answer=0,
        because="Two accounts of one organization are still two accounts. An organization can forbid something to "
        "all its members, and conditions can ask whether somebody belongs to it. It makes no bridge by itself.",
    ),
    "the bucket names dev": Prediction(
        "The bucket's policy in prod names the account dev: `:root`. Alice has no policy that speaks of S3. May she "
        "read?",
        (
            "Yes: she belongs to dev, and dev is named.",
            "No: her account must allow her, too.",
            "No: `:root` is the root user only.",
        ),
        answer=1,
        because="`:root` in a policy is the whole account, not a person. prod says: dev may decide. And dev has not "
        "decided anything for Alice yet. It is the bridge again, with a bucket in place of a role.",
    ),
    "mallorys role": Prediction(
        "Acme's program does for Mallory what it does for everybody, with the role that she named: yours. What "
        "happens?",
        (
            "It is refused: Mallory has no right in prod.",
            "It is refused: the external ID is Mallory's.",
            "Acme gets a session in prod, and Mallory gets your ledger checked.",
        ),
        answer=2,
        because="prod trusts Acme, and Acme it is who asks. Nobody has stolen anything; Acme, who has the right, is "
        "made to use it for the wrong customer. That is called a **confused deputy**. The external ID was sent "
        "along, but no policy asks for it.",
    ),
    "mallory knows the external id": Prediction(
        "The trust policy now demands the external ID `acme-1001`. Mallory knows this number. Does it help her?",
        (
            "No: Acme sends the number of the customer it works for, and that is not you.",
            "Yes: she tells it to Acme, and comes in.",
            "Yes: she asks for the role herself, with the number.",
        ),
        answer=0,
        because="Acme takes the number from its own list, not from what a customer says. And Mallory herself is not "
        "named in the trust policy, whatever number she sends. So the external ID need not be secret. It must be "
        "given out by Acme, a different one for each customer.",
    ),
    "a tag and a source identity": Prediction(
        "Both sides allow `sts:AssumeRole`. Alice asks for the role with a tag, and then with a source identity. "
        "What does AWS answer?",
        (
            "Both work: they only add to an AssumeRole that is allowed.",
            "The tag works, the source identity does not.",
            "Both are refused.",
        ),
        answer=2,
        because="A tag can decide what a session may do, and a source identity says who is to blame. So to set them "
        "is an action of its own each: `sts:TagSession` and `sts:SetSourceIdentity`. Across accounts both sides "
        "must allow them.",
    ),
}

LEDGER, FILE = "arn:aws:s3:::prod-ledger", "arn:aws:s3:::prod-ledger/2026.csv"
AUDIT, SCANNER = "arn:aws:iam::222222222222:role/audit", "arn:aws:iam::444444444444:role/scanner"
DEV_ADMIN, OFFICE_ADMIN, ACME_ADMIN, MALLORY = (f"arn:aws:iam::{number * 12}:user/lab-admin" for number in "1345")
OURS, MALLORYS = {"sts:ExternalId": "acme-1001"}, {"sts:ExternalId": "acme-2002"}

OPEN_TO_DEV = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::prod-ledger/*"
    }
  ]
}"""


def _everything(*arns: str) -> dict[At, str]:
    """These people may do everything as far as their own account is concerned."""
    return {At(arn, "identity", "a policy of their own"): allow("*") for arn in arns}


def _borrows(name: str, who: str, should: bool, given: dict[str, str]) -> Ask:
    return Ask(name, "borrows the role", who, "sts:AssumeRole", AUDIT, should, given)


EXERCISES = {
    "the whole organization": Exercise(
        waits_for="Change the bucket policy in the cell above, so that it lets in your organization and nobody else.",
        given=(OPEN_TO_DEV,),
        judge=policies(
            [
                Ask("Alice, of dev,", "reads the ledger", ALICE, "s3:GetObject", FILE, True),
                Ask("Somebody of head-office", "reads the ledger", OFFICE_ADMIN, "s3:GetObject", FILE, True),
                Ask("Acme's scanner", "reads the ledger", SCANNER, "s3:GetObject", FILE, False),
                Ask("Mallory", "reads the ledger", MALLORY, "s3:GetObject", FILE, False),
                Ask("Somebody without any credentials", "reads the ledger", "anonymous", "s3:GetObject", FILE, False),
                Ask("Alice", "deletes the ledger", ALICE, "s3:DeleteObject", FILE, False),
            ],
            At(LEDGER, "resource"),
            besides=_everything(ALICE, OFFICE_ADMIN, SCANNER, MALLORY),
        ),
        hints=(
            "Who is the principal, if you do not want to name any account? And what keeps the others out?",
            'Let everybody in with `"Principal": "*"`, and only under a condition on `aws:PrincipalOrgID`.',
            "The condition is `StringEquals`, the key `aws:PrincipalOrgID`, the value is what the cell above shows.",
        ),
        solution='''OPEN_TO_ORGANIZATION = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::prod-ledger/*",
      "Condition": { "StringEquals": { "aws:PrincipalOrgID": "ORGANIZATION" } }
    }
  ]
}""".replace("ORGANIZATION", organization)
''',
        because="The condition does what the principal does not. Accounts that join later are let in, accounts that "
        "leave are shut out, and nobody has to edit the policy. A star without such a condition would be the world.",
    ),
    "acmes way in": Exercise(
        waits_for="Write the two policies of the role audit into the cell above: who comes in, and what they may do.",
        given=("", ""),
        judge=policies(
            [
                _borrows("Acme's scanner, with your ID,", SCANNER, True, OURS),
                _borrows("Acme's scanner, without an ID,", SCANNER, False, {}),
                _borrows("Acme's scanner, with Mallory's ID,", SCANNER, False, MALLORYS),
                _borrows("Somebody else of Acme, with your ID,", ACME_ADMIN, False, OURS),
                _borrows("Mallory, with your ID,", MALLORY, False, OURS),
                _borrows("Somebody of dev", DEV_ADMIN, False, OURS),
                Ask("A session of the role", "lists the ledger", AUDIT, "s3:ListBucket", LEDGER, True),
                Ask("A session of the role", "reads the ledger", AUDIT, "s3:GetObject", FILE, True),
                Ask("A session of the role", "changes the ledger", AUDIT, "s3:PutObject", FILE, False),
                Ask("A session of the role", "deletes the ledger", AUDIT, "s3:DeleteObject", FILE, False),
                Ask("A session of the role", "reads another bucket", AUDIT, "s3:GetObject", "arn:aws:s3:::x/y", False),
            ],
            At(AUDIT, "trust", called="The trust policy"),
            At(AUDIT, "identity", "audit", called="The permissions policy"),
            besides=_everything(SCANNER, ACME_ADMIN, MALLORY, DEV_ADMIN),
        ),
        hints=(
            "Two texts, two questions: who may borrow the role, and what may the borrower do?",
            "The trust policy names one role of Acme's and has a condition on `sts:ExternalId`. The permissions "
            "policy has no principal, and two kinds of resources: the bucket, and what is in it.",
            "Trust: `arn:aws:iam::444444444444:role/scanner`, `StringEquals` `sts:ExternalId` `acme-1001`. "
            "Permissions: `s3:ListBucket` on the bucket, `s3:GetObject` on `arn:aws:s3:::prod-ledger/*`.",
        ),
        solution='''ACME_TRUST = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::444444444444:role/scanner" },
      "Action": "sts:AssumeRole",
      "Condition": { "StringEquals": { "sts:ExternalId": "acme-1001" } }
    }
  ]
}"""
ACME_MAY = """{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::prod-ledger" },
    { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::prod-ledger/*" }
  ]
}"""
''',
        because="Acme's role is named, not Acme's account: then Acme's other people need not be trusted, too. A "
        "role lends itself for one hour unless you raise its maximum, so that nothing has to be said about time.",
    ),
}
