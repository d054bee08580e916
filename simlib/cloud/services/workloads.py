"""What CodeBuild and ECS answer when something is started, where moto says less than AWS, or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.moto_names import keeper
from simlib.cloud.services.rules import CallFacts, checks
from simlib.cloud.transport.wire import RawAnswer

_OF_THE_SOURCE = {"type": "sourceTypeOverride", "location": "sourceLocationOverride", "buildspec": "buildspecOverride"}


def tell_of_build(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """A build has its project's source, but for what the call says otherwise; moto makes one up.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
    """
    parameters, project = context.parameters, str(context.parameters["projectName"])
    codebuild: Any = keeper("codebuild", context.caller.account, context.call.region)
    own = {member: parameters[name] for member, name in _OF_THE_SOURCE.items() if parameters.get(name)}
    details: dict[str, Any] = {"source": {**codebuild.codebuild_projects[project].project_metadata["source"], **own}}
    details |= {"initiator": context.caller.arn.split(":", 5)[5].partition("/")[2]}
    codebuild.build_metadata[project].build_metadata.update(details)
    return replace(answer, body=json.dumps({"build": {**json.loads(answer.body)["build"], **details}}).encode())


class _Tasks(CallFacts):
    """What a cluster has to run tasks on."""

    @property
    def has_no_machine(self) -> bool:
        """Whether there is nothing for a task that does not go to Fargate."""
        if self["launchType"] == "FARGATE":
            return False
        ecs: Any = keeper("ecs", self.account, self.context.call.region)
        name = str(self["cluster"] or "default").rpartition("/")[2]
        cluster = ecs.clusters.get(name) if ecs else None
        strategy = self["capacityProviderStrategy"] or getattr(cluster, "default_capacity_provider_strategy", None)
        on_fargate = any(str(each["capacityProvider"]).startswith("FARGATE") for each in strategy or ())
        return cluster is not None and not on_fargate and not ecs.container_instances.get(name)


BEFORE = checks("ecs", _Tasks)
AFTER = {"codebuild:StartBuild": tell_of_build}
