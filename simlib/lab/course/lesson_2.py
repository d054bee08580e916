"""What lesson 2 asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.beginnings import ALICE, BOB, allow
from simlib.lab.exercises import Ask, At, Exercise, policies
from simlib.lab.predictions import Prediction

TITLE = "Trust policies: who may assume a role"

MINUTES = {"": 20, "Names that do not exist": 19}

QUESTIONS = {
    "alice without a policy": Prediction(
        "The trust policy names Alice. She has no policy of her own. May she assume the role?",
        (
            "Yes: the trust policy names her.",
            "No: she also needs a policy that allows `sts:AssumeRole`.",
        ),
        answer=0,
        because="The role and Alice belong to the same account, and the trust policy names her. Within one account "
        "that is enough. It does not name Bob, so AWS refuses him.",
    ),
    "alice and the bucket": Prediction(
        "Alice may assume the role. The role may read the bucket. May Alice read the bucket with her own key?",
        (
            "Yes: a role that may read it trusts her.",
            "No: only a session of the role may.",
        ),
        answer=1,
        because="The trust policy gives Alice one thing: she may assume the role. What the role may do, its "
        "session may do, and Alice's key is not a session. The **trust policy** says who may assume the role. The "
        "**permissions policy** says what a session of it may do.",
    ),
    "root in the trust policy": Prediction(
        "Now the trust policy names `arn:aws:iam::111111111111:root`. Alice and Bob have no policies. Who may "
        "assume the role?",
        (
            "Only the root user.",
            "Everybody in the account: Alice, Bob and the root user.",
            "None of the three.",
        ),
        answer=2,
        because="`:root` means the **account**. It leaves the decision to the account's own policies. Neither "
        "Alice nor Bob has a policy that allows `sts:AssumeRole`. And the root user, who may do nearly everything, "
        "cannot assume roles at all.",
    ),
    "a role and itself": Prediction(
        "A session of `reports` asks for `reports`. Its permissions policy allows that. What does AWS answer?",
        (
            "Yes: of course a role trusts itself.",
            "No: the trust policy does not name the role.",
        ),
        answer=1,
        because="A trust policy means exactly what it says. Until 2022, AWS let a role assume itself without being "
        "named. Since then, the trust policy must name the role or the account. You seldom need this: a program does "
        "better to get a fresh session in the way it got the first.",
    ),
    "a name of tomorrow": Prediction(
        "There is no user `carol` yet. The new trust policy names her. What does AWS do?",
        (
            "It refuses to save the policy.",
            "It saves the policy. She may assume the role as soon as she exists.",
        ),
        answer=0,
        because="`Invalid principal in policy`. When you save a trust policy, AWS looks up every principal in it, "
        "because it stores the unique ID behind the name. So AWS notices a typing mistake, too.",
    ),
    "alice is back": Prediction(
        "There is a user `alice` again. The trust policy of `reports` named `user/alice`, and nobody has touched "
        "it. May she assume the role?",
        (
            "Yes: the trust policy has her name.",
            "No: this is another Alice.",
        ),
        answer=1,
        because="AWS had stored the ID of the first Alice, `AIDA…`, and showed it to you as her name. Now nobody "
        "has that ID, so you see the ID itself. This protects you: otherwise, anybody who may create users could "
        "become anybody who has left.",
    ),
    "a contractor leaves": Prediction(
        "Your role `reports` trusts `arn:aws:iam::111111111111:root`. The contractor Dan has a user in the "
        "account, with a policy that allows `sts:AssumeRole` on `reports`. Today is his last day. You leave the "
        "trust policy as it is. Which one step makes sure that Dan cannot get a new session of `reports` tomorrow, "
        "and that everybody else can?",
        (
            "Remove `:root` from the trust policy.",
            "Delete Dan's user (or his access key and that policy).",
            "Nothing: trust ends when the contract ends.",
            "Create a user `dan` without any policy in place of his.",
        ),
        answer=1,
        because="The trust policy leaves the decision to the account, so take away what Dan has in the account. "
        "Without his user, his key and his policy are gone. Removing `:root` would stop everybody. AWS knows nothing "
        "of contracts.\n\n"
        "Dan's open sessions last until they expire: lesson 4 shows how to end them. With IAM Identity Center, you "
        "would remove Dan in one place.",
    ),
}

REPORTS, ARCHIVE = (f"arn:aws:iam::111111111111:role/{name}" for name in ("reports", "archive"))
MFA = {"aws:MultiFactorAuthPresent": "true"}
PROD_ADMIN = "arn:aws:iam::222222222222:user/lab-admin"


def _assumes(name: str, who: str, should: bool, given: dict[str, str] | None = None) -> Ask:
    return Ask(name, "assumes reports", who, "sts:AssumeRole", REPORTS, should, given or {})


EXERCISES = {
    "let bob in": Exercise(
        waits_for="Write Bob's policy in the cell above: he may assume reports, and do nothing else.",
        given=("",),
        judge=policies(
            [
                _assumes("Bob", BOB, True),
                Ask("Bob", "assumes archive", BOB, "sts:AssumeRole", ARCHIVE, False),
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
            "The trust policy trusts the account. Which call does Bob make, and on which resource?",
            "He needs an `Allow` for `sts:AssumeRole`. Its `Resource` is the role.",
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
        because="The trust policy lets the account decide, and this policy is the account's decision for Bob. It "
        "has no `Principal`, because it is attached to Bob. With a star as the resource, he could assume every role "
        "that trusts the account.",
    ),
    "a list from blank": Exercise(
        waits_for="Write the trust policy in the cell above: Alice with MFA, the EC2 service, and nobody else.",
        given=("",),
        judge=policies(
            [
                _assumes("Alice, with MFA,", ALICE, True, MFA),
                _assumes("Alice, without MFA,", ALICE, False),
                _assumes("The EC2 service", "ec2.amazonaws.com", True),
                _assumes("The Lambda service", "lambda.amazonaws.com", False),
                _assumes("Bob, whose own policy allows him every role,", BOB, False),
                _assumes("Bob, with MFA,", BOB, False, MFA),
                _assumes("A session of reports itself", REPORTS, False, MFA),
                _assumes("Somebody in prod, with MFA,", PROD_ADMIN, False, MFA),
            ],
            At(REPORTS, "trust", called="The trust policy"),
            besides={At(arn, "identity", "assume-all"): allow("sts:AssumeRole") for arn in (BOB, REPORTS, PROD_ADMIN)},
        ),
        hints=(
            "Two kinds of principals ask in two ways. A service cannot type in six digits.",
            "Write two statements: one for Alice with a condition, one for the service without.",
            "In the first, `Principal` is `AWS` with Alice's ARN, and `Condition` is `Bool`, "
            "`aws:MultiFactorAuthPresent`, `true`. In the second, `Principal` is `Service` with `ec2.amazonaws.com`. "
            "Neither has a `Resource`.",
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
        because="The trust policy names Alice, so nobody else's own policy is enough. `:root` would have let Bob "
        "in. A condition belongs to its statement, so the service needs no second factor.",
    ),
}
