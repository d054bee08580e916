"""What lesson 2 asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.beginnings import ALICE, BOB, allow
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Trust policies: who may borrow"

QUESTIONS = {
    "alice without a policy": Prediction(
        "The trust policy names Alice. She has no policy of her own. May she borrow the role?",
        (
            "Yes: she is on the list.",
            "No: she also needs a policy that allows `sts:AssumeRole`.",
        ),
        answer=0,
        because="The role and Alice belong to the same account, and the trust policy names her and nobody else. Within "
        "one account that is enough. Bob is not on the list, and stays outside.",
    ),
    "alice and the bucket": Prediction(
        "Alice may borrow the role. The role may read the bucket. May Alice, with her own key, read the bucket?",
        (
            "Yes: she is trusted by a role that may.",
            "No: only a session of the role may.",
        ),
        answer=1,
        because="Being on the list gives Alice one thing: she may borrow. What the role may do, its session may do, "
        "and Alice's key is no session. The **trust policy** says who comes in, the **permissions policy** what may be "
        "done inside.",
    ),
    "root in the trust policy": Prediction(
        "Now the trust policy names `arn:aws:iam::111111111111:root`. Alice and Bob have no policies. Who comes in?",
        (
            "The root user only.",
            "Everybody in the account: Alice, Bob and the root user.",
            "None of the three.",
        ),
        answer=2,
        because="`:root` is the **account**. It says: this account's own policies may decide. Neither Alice nor Bob "
        "has a policy that allows `sts:AssumeRole`. And the root user, who may do nearly everything, may not assume "
        "roles at all.",
    ),
    "a role and itself": Prediction(
        "A session of `reports` asks for `reports`. Its permissions allow that. What does AWS answer?",
        (
            "Yes: a role trusts itself, of course.",
            "No: the trust policy does not name the role.",
        ),
        answer=1,
        because="A list counts as it is written. Until 2022 AWS let a role assume itself without being named. Since "
        "then its trust policy must name it, or the account, as with anybody else. It is seldom needed: a program does "
        "better to fetch a fresh session where it got the first.",
    ),
    "a name of tomorrow": Prediction(
        "There is no user `carol` yet. The trust policy is to name her. What does AWS do?",
        (
            "It refuses to save the policy.",
            "It saves the policy. She comes in as soon as she exists.",
        ),
        answer=0,
        because="`Invalid principal in policy`. AWS looks up everybody on the list when it is saved, because it does "
        "not store the name but the unique ID behind it. A typing mistake is noticed in the same way.",
    ),
    "alice is back": Prediction(
        "There is a user `alice` again. The trust policy of `reports` named `user/alice` and has not been touched. May "
        "she borrow the role?",
        (
            "Yes: her name is on the list.",
            "No: this is another Alice.",
        ),
        answer=1,
        because="AWS had stored the ID of the first Alice, `AIDA…`. While she existed, it was shown to you as her "
        "name. Now the ID belongs to nobody, and that is what you see. Good so: otherwise whoever may create users "
        "could become anybody who has left.",
    ),
}

REPORTS, ARCHIVE = (f"arn:aws:iam::111111111111:role/{name}" for name in ("reports", "archive"))
MFA = {"aws:MultiFactorAuthPresent": "true"}
PROD_ADMIN = "arn:aws:iam::222222222222:user/lab-admin"


def _borrows(name: str, who: str, should: bool, given: dict[str, str] | None = None) -> Ask:
    return Ask(name, "borrows reports", who, "sts:AssumeRole", REPORTS, should, given or {})


EXERCISES = {
    "let bob in": Exercise(
        waits_for="Write Bob's policy into the cell above: he may borrow reports, and do nothing else.",
        given=("",),
        judge=policies(
            [
                _borrows("Bob", BOB, True),
                Ask("Bob", "borrows archive", BOB, "sts:AssumeRole", ARCHIVE, False),
                Ask("Bob", "reads the bucket", BOB, "s3:GetObject", "arn:aws:s3:::my-secure-bucket/report.csv", False),
                Ask("Bob", "changes the role", BOB, "iam:UpdateAssumeRolePolicy", REPORTS, False),
            ],
            At(BOB, "identity", "bob"),
            besides={
                At(REPORTS, "trust"): '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": '
                '{"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:AssumeRole"}]}'
            },
        ),
        hints=(
            "The door is open to the account. Which call does Bob make, and on what?",
            "An `Allow` for `sts:AssumeRole`. Its `Resource` is the role.",
            'In the statement: `"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::111111111111:role/reports"`.',
        ),
        solution='''BOB_MAY = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "sts:AssumeRole",
      "Resource": "arn:aws:iam::111111111111:role/reports"
    }
  ]
}"""
''',
        because="The trust policy lets the account decide, and this policy is the account's decision for Bob. There is "
        "no `Principal` in it: it hangs on Bob. With a star as the resource he could borrow every role that trusts the "
        "account.",
    ),
    "a list from blank": Exercise(
        waits_for="Write the trust policy into the cell above: Alice with MFA, the EC2 service, and nobody else.",
        given=("",),
        judge=policies(
            [
                _borrows("Alice, with MFA,", ALICE, True, MFA),
                _borrows("Alice, without MFA,", ALICE, False),
                _borrows("The EC2 service", "ec2.amazonaws.com", True),
                _borrows("The Lambda service", "lambda.amazonaws.com", False),
                _borrows("Bob, who may borrow every role by his own policy,", BOB, False),
                _borrows("Bob, with MFA,", BOB, False, MFA),
                _borrows("A session of reports itself", REPORTS, False, MFA),
                _borrows("Somebody of prod, with MFA,", PROD_ADMIN, False, MFA),
            ],
            At(REPORTS, "trust", called="The trust policy"),
            besides={At(arn, "identity", "borrow-all"): allow("sts:AssumeRole") for arn in (BOB, REPORTS, PROD_ADMIN)},
        ),
        hints=(
            "Two kinds of callers come in two different ways. A service cannot show six digits.",
            "Write two statements: one for Alice with a condition, one for the service without.",
            "In the first, `Principal` is `AWS` with Alice's ARN, and `Condition` is `Bool`, "
            "`aws:MultiFactorAuthPresent`, `true`. In the second it is `Service`, `ec2.amazonaws.com`. Neither has a "
            "`Resource`.",
        ),
        solution='''REPORTS_TRUST = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::111111111111:user/alice" },
      "Action": "sts:AssumeRole",
      "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } }
    },
    {
      "Effect": "Allow",
      "Principal": { "Service": "ec2.amazonaws.com" },
      "Action": "sts:AssumeRole"
    }
  ]
}"""
''',
        because="Alice is named, so nobody else's own policy opens the door: `:root` would have let Bob in. A "
        "condition belongs to its statement, so the service is not asked for a second factor.",
    ),
}
