"""What CodeBuild and ECS answer when something is started."""

from __future__ import annotations

from typing import Any

from simlib import Cloud

from .conftest import allow, new_user, refused, trust

SOURCE = {"type": "GITHUB", "location": "https://github.com/example/app.git"}


def test_a_build_has_the_source_of_its_project_but_for_what_the_call_says(aws: Cloud, dev: Any) -> None:
    iam, builds = dev.admin.client("iam"), trust({"Service": "codebuild.amazonaws.com"})
    role = iam.create_role(RoleName="builder", AssumeRolePolicyDocument=builds)["Role"]["Arn"]
    dev.admin.client("codebuild").create_project(
        name="app",
        serviceRole=role,
        source=SOURCE,
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "alpine", "computeType": "BUILD_GENERAL1_SMALL"},
    )
    alice = new_user(aws, iam, "alice", allow("codebuild:*")).client("codebuild")
    plain = alice.start_build(projectName="app")["build"]
    assert (plain["source"], plain["initiator"]) == (SOURCE, "alice")
    other = alice.start_build(projectName="app", buildspecOverride="version: 0.2", sourceLocationOverride="https://x/")
    changed = {**SOURCE, "location": "https://x/", "buildspec": "version: 0.2"}
    assert other["build"]["source"] == changed
    [kept] = alice.batch_get_builds(ids=[other["build"]["id"]])["builds"]
    assert kept["source"] == changed
    assert alice.batch_get_projects(names=["app"])["projects"][0]["source"] == SOURCE


def test_a_task_runs_on_fargate_or_on_a_machine_of_the_cluster_and_nowhere_else(dev: Any) -> None:
    ecs = dev.admin.client("ecs")
    ecs.create_cluster(clusterName="default")
    ecs.register_task_definition(family="app", containerDefinitions=[{"name": "c", "image": "alpine", "memory": 64}])
    fargate = [{"capacityProvider": "FARGATE"}]
    for given in ({"launchType": "FARGATE"}, {"capacityProviderStrategy": fargate}):
        assert ecs.run_task(taskDefinition="app", **given)["tasks"], given
    for given in ({}, {"launchType": "EC2"}):
        refusal = refused(lambda more=given: ecs.run_task(taskDefinition="app", **more))
        assert refusal == ("InvalidParameterException", "No Container Instances were found in your cluster."), given
    ecs.put_cluster_capacity_providers(
        cluster="default", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=fargate
    )
    assert ecs.run_task(taskDefinition="app")["tasks"]
