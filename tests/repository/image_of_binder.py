"""Binder's image, as far as it can be known without building it: the Dockerfile that repo2docker would build.

Needs jupyter-repo2docker, a contributors' tool, and is therefore run by `nox -s checks`, not with the other tests.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .conftest import ROOT


@pytest.fixture(scope="module")
def dockerfile() -> str:
    options = ["--no-build", "--no-run", "--debug", "--user-id", "1000", "--user-name", "jovyan"]
    command = [sys.executable, "-m", "repo2docker", *options, "."]
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    assert answer.returncode == 0, answer.stdout
    return answer.stdout[answer.stdout.index("FROM ") :]


def test_python_is_the_one_the_pins_are_made_for(dockerfile: str) -> None:
    readable = dockerfile.replace("-2d", "-").replace("-2e", ".")
    assert re.search(r"environment\.py-3\.11-linux-64\.lock\S* /tmp/env/environment\.lock", readable)


def test_packages_are_installed_in_a_layer_of_their_own_before_the_repository_is_copied(dockerfile: str) -> None:
    pins = dockerfile.index("COPY --chown=1000:1000 src/binder/requirements.txt ")
    install = dockerfile.index('pip install --no-cache-dir -r "binder/requirements.txt"')
    repository = dockerfile.index("COPY --chown=1000:1000 src/ ")
    assert pins < install < repository


def test_only_the_pins_are_installed_with_dependencies(dockerfile: str) -> None:
    assert dockerfile.count("pip install") == 1


def test_post_build_finishes_the_image_as_the_learner_not_as_root(dockerfile: str) -> None:
    end = dockerfile[: dockerfile.index("RUN ./binder/postBuild")]
    assert re.findall(r"^USER (\S+)", end, re.MULTILINE)[-1] == "${NB_USER}"
