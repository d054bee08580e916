"""Run as a process of its own: a learner's kernel, full of real-looking credentials, tries every way to the real AWS.

Prints one JSON document: what was tried and what came of it, what reached the lab from other processes, its trail, and
whether this process's own surroundings are as before.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.request
from collections.abc import Callable
from typing import Any


def surroundings() -> dict[str, Any]:
    import boto3
    import botocore.httpsession

    patched = (socket.getaddrinfo, botocore.httpsession.URLLib3Session.send, boto3.DEFAULT_SESSION)
    return {"environment": dict(os.environ), "patched": [id(one) for one in patched]}


def main() -> dict[str, Any]:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    from simlib import Cloud

    shell = InteractiveShell.instance()
    boto3.setup_default_session()
    before = surroundings()
    old_client = boto3.client("s3")
    sent: list[str] = []
    outcome: dict[str, str] = {}

    def attempt(name: str, act: Callable[[], Any]) -> None:
        try:
            outcome[name] = str(act())
        except (OSError, BotoCoreError, ClientError) as error:
            outcome[name] = f"{type(error).__name__}: {error}"

    def cell(source: str) -> str:
        with capture_output() as captured:
            shell.run_cell(source)
        return str(captured.stdout) + str(captured.stderr)

    aws = Cloud.start()
    endpoint, answer = aws.serve(), aws.serve().answer
    endpoint.answer = lambda raw: sent.append(repr(raw)) or answer(raw)  # type: ignore[func-returns-value]
    admin = aws.account("dev").admin
    s3 = admin.client("s3")
    s3.create_bucket(Bucket="my-secure-bucket")
    s3.put_object(Bucket="my-secure-bucket", Key="report.txt", Body=b"in the lab")

    # 1. with nothing set: what was planted must not be found
    attempt("plain client", lambda: boto3.client("sts").get_caller_identity()["Arn"])
    attempt("planted profile", lambda: boto3.Session(profile_name="planted").client("sts").get_caller_identity())
    attempt("old client", lambda: old_client.list_buckets())
    attempt("!aws", lambda: cell("!aws s3 ls"))
    attempt("%%bash", lambda: cell("%%bash\naws sts get-caller-identity\n"))
    bare = "import boto3; print(boto3.Session().get_credentials())"
    attempt("child python", lambda: cell(f"!{sys.executable} -c '{bare}'"))
    attempt("aws profile", lambda: cell("!aws s3 ls --profile planted"))

    # 2. with keys of the lab's own: they work, and only here
    os.environ["AWS_ACCESS_KEY_ID"] = admin.access_key_id
    os.environ["AWS_SECRET_ACCESS_KEY"] = admin.secret_access_key
    attempt("plain client, signed in", lambda: boto3.client("sts").get_caller_identity()["Arn"])
    attempt("!aws, signed in", lambda: cell("!aws s3 ls"))
    attempt("%%bash, signed in", lambda: cell("%%bash\naws s3 cp s3://my-secure-bucket/report.txt -\n"))
    attempt("a service with an address of its own", lambda: cell("!aws sqs create-queue --queue-name jobs"))
    whoami = 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'
    attempt("child python, signed in", lambda: cell(f"!{sys.executable} -c '{whoami}'"))

    # 3. ways that do not ask for credentials
    presigned = s3.generate_presigned_url("get_object", Params={"Bucket": "my-secure-bucket", "Key": "report.txt"})
    attempt("presigned URL", lambda: urllib.request.urlopen(presigned, timeout=20).read().decode())
    attempt("AWS by name", lambda: urllib.request.urlopen("https://my-secure-bucket.s3.amazonaws.com/", timeout=5))
    attempt("metadata by address", lambda: urllib.request.urlopen("http://169.254.169.254/latest/", timeout=5))
    sns = admin.client("sns")
    topic = sns.create_topic(Name="alarm")["TopicArn"]
    for number, url in enumerate(("http://192.0.2.7/hook", "https://subscriber.example.com/hook")):
        subscribe = {"TopicArn": topic, "Protocol": url.partition(":")[0], "Endpoint": url}
        attempt(f"SNS subscription {number}", lambda subscribe=subscribe: sns.subscribe(**subscribe)["SubscriptionArn"])
    attempt("SNS publish", lambda: sns.publish(TopicArn=topic, Message="out!")["MessageId"])

    # 4. an instance of the lab's
    iam, ec2 = admin.client("iam"), admin.client("ec2")
    trusted = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName="web", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    run = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "IamInstanceProfile": {"Name": "web"}}
    web = aws.instance(ec2.run_instances(**run)["Instances"][0]["InstanceId"])
    attempt("on the instance", lambda: web.run("aws s3 ls s3://my-secure-bucket").stdout)
    attempt("the instance's session", lambda: web.session.client("sts").get_caller_identity()["Arn"])

    trail = "\n".join(f"{event!r} {event.access_key_id} {event.error_message}" for event in aws.trail)
    aws.stop()
    after = surroundings()
    return {
        "outcome": outcome,
        "sent": sent,
        "trail": trail,
        "changed": {part: [before[part], after[part]] for part in before if before[part] != after[part]},
    }


if __name__ == "__main__":
    print("\n=== result ===\n" + json.dumps(main()))
