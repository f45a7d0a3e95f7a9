"""SAM's part of the end-to-end tests: builds a copy of the project and invokes the built function in its container."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = Any

ROOT = Path(__file__).parents[2]
FLEET = Path(__file__).parent / "fleet"
ARCHITECTURE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"
PARAMETERS = ["--parameter-overrides", f"Architecture={ARCHITECTURE}"]


@dataclass(frozen=True)
class Invocation:
    """What an invocation gave: the function's answer, and the log lines that it wrote."""

    answer: Json
    log: list[Json]


@dataclass(frozen=True)
class Build:
    """A built copy of the project, with the fleet of these tests in it."""

    folder: Path

    @property
    def package(self) -> Path:
        """What the Lambda would carry."""
        return self.folder / ".aws-sam/build/TickFunction"

    def invoke(self, event: str, *, variables: Mapping[str, str], region: str) -> Invocation:
        """Invoke the function with one of the project's events; an error of the function is an answer like others."""
        given = self.folder / "variables.json"
        given.write_text(json.dumps({"TickFunction": dict(variables)}), encoding="utf-8")
        pulled = ["--skip-pull-image"] if _has_image() else []
        arguments = [
            "--event",
            f"events/{event}.json",
            "--env-vars",
            str(given),
            "--region",
            region,
            *PARAMETERS,
            *pulled,
        ]
        outcome = _sam("local", "invoke", "TickFunction", *arguments, folder=self.folder)
        log = [json.loads(line) for line in outcome.stderr.splitlines() if line.startswith("{")]
        return Invocation(answer=json.loads(outcome.stdout.strip().splitlines()[-1]), log=log)


def build(folder: Path) -> Build:
    """Copy what a build takes, put these tests' fleet in, and let SAM build it."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "fleet", "*.egg-info"))
    # `warmcast/fleet` is code and shares its name with the policies' folder, which is replaced.
    shutil.copytree(ROOT / "src/warmcast/fleet", folder / "src/warmcast/fleet")
    shutil.copytree(FLEET, folder / "src/fleet")
    shutil.copytree(ROOT / "events", folder / "events")
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, folder)
    container = [] if shutil.which("python3.13") else ["--use-container"]
    _sam("build", *PARAMETERS, *container, folder=folder)
    return Build(folder)


def host_address() -> str:
    """Where a container reaches this host: the gateway of Docker's bridge."""
    found = _run("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    return found.stdout.strip() or "172.17.0.1"


def _has_image() -> bool:
    docker = shutil.which("docker")
    assert docker, "the end-to-end tests need Docker"
    found = subprocess.run([docker, "image", "inspect", IMAGE], capture_output=True, check=False)  # noqa: S603 - fixed
    return found.returncode == 0


def _sam(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return _run(os.environ.get("SAM", "sam"), *arguments, folder=folder)


def _run(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    credentials = {"AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "test", "SAM_CLI_TELEMETRY": "0"}
    outcome = subprocess.run(  # noqa: S603 - the commands of this module
        command, cwd=folder, env=os.environ | credentials, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, f"{' '.join(command)}:\n{outcome.stdout}\n{outcome.stderr}"
    return outcome
