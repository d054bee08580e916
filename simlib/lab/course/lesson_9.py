"""What the appendix asks its reader to predict: the article's four loose sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.lab.predictions import Prediction

if TYPE_CHECKING:
    from simlib.lab.exercises import Exercise

TITLE = "Four sentences to read with care"
MINUTES = {"": 14}

QUESTIONS = {
    "what the SDK asks for": Prediction(
        "The machine lists the bucket once more. Which calls does AWS receive from it?",
        (
            "Only the listing.",
            "`AssumeRole`, then the listing.",
            "`GetSessionToken`, then the listing.",
        ),
        answer=0,
        because="The AWS CLI made no call to STS. The EC2 service had already obtained the credentials, and the "
        "CLI read them from the metadata service. That request never leaves the machine.\n\n"
        "An SDK calls `AssumeRole` itself only when a profile tells it to, with `role_arn`.",
    ),
    "a machine for Alice": Prediction(
        "Alice may start machines. She starts one, with the instance profile `web-app`. What does she get?",
        (
            "A machine with the role.",
            "A machine without the role.",
            "No machine: AWS refuses.",
        ),
        answer=2,
        because="Handing a role to a machine needs a permission of its own: `iam:PassRole`. Without that rule, "
        "anybody who may start a machine could use every role that trusts EC2, even an administrator's.\n\n"
        "So it takes three things: a trust policy that names EC2, an instance profile that holds the role, and "
        "somebody who may pass the role.",
    ),
    "a long job on a laptop": Prediction(
        "A job on your laptop runs for ten hours. You signed in through IAM Identity Center and hold a role "
        "session. From that session, your script assumes a second role, whose maximum session duration is 12 hours, "
        "and asks for 10 hours. What happens?",
        (
            "It gets 10 hours: the role allows 12.",
            "AWS refuses: a session that assumes a role gets one hour at most.",
            "It gets one hour, and AWS warns.",
            "It gets 10 hours, because Identity Center vouches for you.",
        ),
        answer=1,
        because="Your sign-in gave you a role session, so assuming the second role is role chaining: one hour at "
        "most, whatever the role's maximum. AWS does not shorten what you ask for; it refuses.\n\n"
        "Let the script ask for one hour and assume the role again before it expires, as an SDK profile with "
        "`role_arn` does. Or sign in to the second role directly.",
    ),
}

EXERCISES: dict[str, Exercise] = {}
