"""What lesson 5 asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.beginnings import ALICE, allow
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Across accounts"

MINUTES = {"": 20, "The confused deputy": 13, "Make it: Acme's way in": 10}

QUESTIONS = {
    "prod trusts alice": Prediction(
        "The role in prod names Alice in its trust policy. In dev she has no policy. She asks for the role. What "
        "does AWS answer?",
        (
            "She gets a session: the trust policy names her.",
            "It refuses: her own account must allow it, too.",
            "It refuses: a trust policy cannot name somebody in another account.",
        ),
        answer=1,
        because="Within one account, being named was enough. Across accounts, each account decides for itself: "
        "prod says who may assume its role, dev says what its own users may do. Neither can decide for the other.",
    ),
    "one organization": Prediction(
        "dev and prod are members of one organization. prod's trust policy names Alice. Her own policy is gone "
        "again. What does AWS answer now?",
        (
            "It refuses, as before.",
            "She gets a session: within an organization, one side is enough.",
        ),
        answer=0,
        because="Two accounts of one organization are still two accounts. An organization can forbid things to its "
        "members, and conditions can ask whether somebody belongs to it. By itself, it gives no access.",
    ),
    "the bucket names dev": Prediction(
        "The bucket policy in prod names the account dev: `:root`. Alice has no policy about S3. May she read?",
        (
            "Yes: she belongs to dev, and the policy names dev.",
            "No: her own account must allow it, too.",
            "No: `:root` is only the root user.",
        ),
        answer=1,
        because="In a policy, `:root` means the whole account, not a person. prod says: dev may decide. dev has "
        "not yet decided anything for Alice. Again both sides must allow it, with a bucket in place of a role.",
    ),
    "mallorys role": Prediction(
        "Acme's program does for Mallory what it does for every customer, with the role that she named: yours. "
        "What happens?",
        (
            "AWS refuses: Mallory has no permissions in prod.",
            "AWS refuses: the external ID is Mallory's.",
            "Acme gets a session in prod, and Mallory gets your ledger.",
        ),
        answer=2,
        because="prod trusts Acme, and it is Acme that asks. Nobody has stolen anything. Acme has access and is "
        "tricked into using it for the wrong customer. AWS calls this the **confused deputy** problem. Acme sent the "
        "external ID, but no policy checks it.",
    ),
    "mallory knows the external id": Prediction(
        "The trust policy now requires the external ID `acme-1001`. Mallory knows it. Does that help her?",
        (
            "No: Acme sends the external ID of the customer it works for, and that is not you.",
            "Yes: she tells it to Acme, and Acme gets in for her.",
            "Yes: she assumes the role herself, with the external ID.",
        ),
        answer=0,
        because="Acme takes the external ID from its own list, not from what a customer says. And the trust policy "
        "does not name Mallory, whatever she sends. So the external ID need not be secret. But Acme must choose it, "
        "a different one for each customer.",
    ),
    "a tag and a source identity": Prediction(
        "Both sides allow `sts:AssumeRole`. Alice asks for the role with a session tag, and then with a source "
        "identity. What does AWS answer?",
        (
            "Both work: they only add to a call that is allowed.",
            "The tag works, the source identity does not.",
            "It refuses both.",
        ),
        answer=2,
        because="A tag can decide what a session may do. A source identity says who is responsible. So each is an "
        "action of its own: `sts:TagSession` and `sts:SetSourceIdentity`. Across accounts, both sides must allow "
        "them.",
    ),
    "a vendor asks for access": Prediction(
        "A vendor's backup service needs to read your bucket. Its setup page offers: (1) create an IAM user and "
        "send us its access key; (2) create a role that trusts our account, with an external ID that you invent; (3) "
        "create a role that trusts our account, with the external ID shown on this page, which is different for "
        "every customer. Which one do you choose?",
        (
            "(1): the permissions are the same, and it is the simplest.",
            "(2): an external ID that only you know is the safest.",
            "(3): the vendor tells its customers apart, and nobody holds a key of yours.",
            "None: across accounts, no role is safe.",
        ),
        answer=2,
        because="The external ID protects you only if the *vendor* makes sure that no two customers have the same "
        "one. If customers invent it, Mallory can enter yours. It is not a password.\n\n"
        "The key in (1) has no end, and you cannot see where it is copied. A role gives the vendor sessions that "
        "expire, and you can end its access by changing one trust policy.",
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


def _assumes(name: str, who: str, should: bool, given: dict[str, str]) -> Ask:
    return Ask(name, "assumes the role", who, "sts:AssumeRole", AUDIT, should, given)


EXERCISES = {
    "the whole organization": Exercise(
        waits_for="Change the bucket policy in the cell above, so that it lets in your organization and nobody else.",
        given=(OPEN_TO_DEV,),
        judge=policies(
            [
                Ask("Alice, in dev,", "reads the ledger", ALICE, "s3:GetObject", FILE, True),
                Ask("Somebody in head-office", "reads the ledger", OFFICE_ADMIN, "s3:GetObject", FILE, True),
                Ask("Acme's scanner", "reads the ledger", SCANNER, "s3:GetObject", FILE, False),
                Ask("Mallory", "reads the ledger", MALLORY, "s3:GetObject", FILE, False),
                Ask("Somebody without any credentials", "reads the ledger", "anonymous", "s3:GetObject", FILE, False),
                Ask("Alice", "deletes the ledger", ALICE, "s3:DeleteObject", FILE, False),
            ],
            At(LEDGER, "resource"),
            besides=_everything(ALICE, OFFICE_ADMIN, SCANNER, MALLORY),
        ),
        hints=(
            "Who is the principal, if you do not want to name any account? And what keeps everybody else out?",
            'Let everybody in with `"Principal": "*"`, but only under a condition on `aws:PrincipalOrgID`.',
            "The operator is `StringEquals`, the key `aws:PrincipalOrgID`, and the value is what the cell above shows.",
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
        because="The condition limits what the principal leaves open. Accounts that join later get access, "
        "accounts that leave lose it, and nobody has to edit the policy. Without the condition, the star would let "
        "in the whole world.",
    ),
    "acmes way in": Exercise(
        waits_for="Write the two policies of the role audit in the cell above: who may assume it, and what they "
        "may do then.",
        given=("", ""),
        judge=policies(
            [
                _assumes("Acme's scanner, with your ID,", SCANNER, True, OURS),
                _assumes("Acme's scanner, without an ID,", SCANNER, False, {}),
                _assumes("Acme's scanner, with Mallory's ID,", SCANNER, False, MALLORYS),
                _assumes("Somebody else at Acme, with your ID,", ACME_ADMIN, False, OURS),
                _assumes("Mallory, with your ID,", MALLORY, False, OURS),
                _assumes("Somebody in dev", DEV_ADMIN, False, OURS),
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
            "Two documents answer two questions: who may assume the role, and what may a session of it do?",
            "The trust policy names one role of Acme's and has a condition on `sts:ExternalId`. The permissions "
            "policy has no principal, and two kinds of resources: the bucket, and the objects in it.",
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
        because="You name Acme's role, not Acme's account, so you need not trust everybody at Acme. You need not "
        "write anything about time: sessions last one hour at most unless you raise the role's maximum.",
    ),
}
