"""The values for Zero to JupyterHub fit the chart's own schema, and say what the workshop's page promises.

The schema is not part of this repository: it is looked for in the folder `shared/data` beside it, or where the variable
SIMLIB_CHART_SCHEMA says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from .conftest import ROOT

VALUES = yaml.safe_load((ROOT / "binder" / "hub" / "values.yaml").read_text(encoding="utf-8"))
BESIDE = ROOT.parent / "shared" / "data" / "zero-to-jupyterhub-values.schema.yaml"


@pytest.fixture(scope="module")
def chart() -> Draft7Validator:
    """Refuses what Helm would, in a file that overrides the chart's defaults: so nothing is required of it."""
    path = Path(os.environ.get("SIMLIB_CHART_SCHEMA", BESIDE))
    if not path.is_file():
        how = f"no schema of the Zero to JupyterHub chart at {path}: put it there, or name it in SIMLIB_CHART_SCHEMA"
        pytest.fail(how) if os.environ.get("CI", "").lower() == "true" else pytest.skip(how)
    return Draft7Validator(without_required(yaml.safe_load(path.read_text(encoding="utf-8"))))


def without_required(schema: Any) -> Any:
    if isinstance(schema, list):
        return [without_required(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_required(part)
        for key, part in schema.items()
        if not (key == "required" and isinstance(part, list))  # elsewhere it is the name of a value
    }


def mappings(values: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(values, dict):
        yield place
        for key, part in values.items():
            yield from mappings(part, (*place, key))


def at(values: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        values = values[key]
    return values


OPEN = [  # where the chart takes any key: the settings of JupyterHub's own classes, and a server's variables
    *(("hub", "config", name) for name in VALUES["hub"]["config"]),
    ("singleuser", "extraEnv"),
]


def test_the_chart_knows_every_value(chart: Draft7Validator) -> None:
    assert [f"{'.'.join(map(str, error.path))}: {error.message}" for error in chart.iter_errors(VALUES)] == []


@pytest.mark.parametrize("place", list(mappings(VALUES)), ids=lambda place: ".".join(place) or "(top)")
def test_a_key_that_the_chart_does_not_know_is_noticed(chart: Draft7Validator, place: tuple[str, ...]) -> None:
    wrong = deepcopy(VALUES)
    at(wrong, place)["notAKey"] = True
    noticed = not chart.is_valid(wrong)
    assert noticed != any(place[: len(free)] == free for free in OPEN)


def test_a_value_of_another_type_is_noticed(chart: Draft7Validator) -> None:
    wrong = deepcopy(VALUES)
    wrong["cull"]["timeout"] = "an hour"
    assert not chart.is_valid(wrong)


def test_a_server_speaks_with_nobody_but_the_hub_and_asks_for_names_only() -> None:
    policy = VALUES["singleuser"]["networkPolicy"]
    assert policy["enabled"]
    assert not policy.get("egress")
    assert {name for name, allowed in policy["egressAllowRules"].items() if allowed} == {
        "dnsPortsKubeSystemNamespace",
        "dnsPortsPrivateIPs",
    }


def test_the_closed_ways_out_are_all_that_the_chart_opens(chart: Draft7Validator) -> None:
    network = chart.schema["properties"]["singleuser"]["properties"]["networkPolicy"]["properties"]
    named = set(VALUES["singleuser"]["networkPolicy"]["egressAllowRules"])
    assert named == set(network["egressAllowRules"]["properties"])


def test_each_learner_sees_an_own_folder_of_the_progress_volume_and_writes_there() -> None:
    server = VALUES["singleuser"]
    (mount,) = server["storage"]["extraVolumeMounts"]
    (volume,) = server["storage"]["extraVolumes"]
    (owner,) = server["initContainers"]
    assert mount["subPath"] == "{username}"
    assert mount["name"] == volume["name"]
    assert owner["volumeMounts"] == [mount]
    assert owner["command"][-1] == mount["mountPath"]
    assert server["extraEnv"]["IAM_LAB_PROGRESS"].startswith(mount["mountPath"] + "/")


def test_the_instructors_view_reads_the_same_volume_in_the_same_image() -> None:
    claim, pod = yaml.safe_load_all((ROOT / "binder" / "hub" / "progress.yaml").read_text(encoding="utf-8"))
    (room,) = pod["spec"]["containers"]
    (volume,) = pod["spec"]["volumes"]
    (learners,) = VALUES["singleuser"]["storage"]["extraVolumes"]
    assert volume["persistentVolumeClaim"] == {**learners["persistentVolumeClaim"], "readOnly": True}
    assert claim["metadata"]["name"] == learners["persistentVolumeClaim"]["claimName"]
    assert room["image"] == "{name}:{tag}".format(**VALUES["singleuser"]["image"])


def test_it_opens_the_first_page() -> None:
    page = VALUES["singleuser"]["defaultUrl"].removeprefix("/lab/tree/")
    assert (ROOT / page).is_file()


def test_nobody_becomes_the_instructor_by_coming_first() -> None:
    """Where the first login sets a name's password, no name may be an administrator's that has none yet."""
    config = VALUES["hub"]["config"]
    assert "FirstUseAuthenticator" in config["JupyterHub"]["authenticator_class"]
    assert not {"admin_users", "admin_groups"} & {name for owner in config.values() for name in owner}
    recipe = (ROOT / "binder" / "hub" / "README.md").read_text(encoding="utf-8")
    assert "--admin INSTRUCTOR:A-LONG-PASSWORD\n" in recipe
