"""Makes the clients of a release: `python -m tests_sdks.making FOLDER`, where openapi.json is.

Which versions of the generators make them stands in requirements-clients.txt and in the
package-lock.json of clients/ and bruno/, so that the same description becomes the same clients.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests_sdks.installing import HERE, environment_with, npm_packages

BRUNO = HERE / "bruno/node_modules/@usebruno/cli/bin/bru.js"


def run(command, **options):
    done = subprocess.run(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def make_python(schema: Path, folder: Path) -> None:
    """A package, open_tok_rooms_client."""
    programs = environment_with("requirements-clients.txt")
    # The generator formats what it has made with the ruff that it finds, which leaves its cache.
    found = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "RUFF_NO_CACHE": "true"}
    generate = [programs / "openapi-python-client", "generate", "--overwrite"]
    run([*generate, "--path", schema, "--output-path", folder], env=os.environ | found)


def make_typescript(schema: Path, file: Path) -> None:
    """Types of all requests and answers, for openapi-fetch."""
    node = npm_packages("clients")
    generate = [node, HERE / "clients/node_modules/openapi-typescript/bin/cli.js", schema]
    run([*generate, "--default-non-nullable", "false", "--output", file])


def make_bruno(schema: Path, folder: Path) -> None:
    """A collection for Bruno, with an environment whose variables stand in the paths."""
    described = json.loads(schema.read_text())
    in_paths = set()
    for operations in described["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    in_paths.add(parameter["name"])
                    parameter["example"] = f"{{{{{parameter['name']}}}}}"
    node = npm_packages("bruno")
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as source:
        json.dump(described, source)
        source.flush()
        title = described["info"]["title"]
        options = ["--source", source.name, "--output", folder, "--collection-name", title]
        run([node, BRUNO, "import", "openapi", *options])
    variables = [
        {"name": "baseUrl", "value": "http://localhost:8080"},
        {"name": "token", "secret": True},  # Bruno keeps the values of secrets out of its files
        *({"name": name, "value": ""} for name in sorted(in_paths)),
    ]
    environment = folder / "environments" / "local.yml"
    environment.parent.mkdir()
    environment.write_text(yaml.safe_dump({"name": "local", "variables": variables}))


if __name__ == "__main__":
    here = Path(sys.argv[1])
    make_python(here / "openapi.json", here / "python")
    make_typescript(here / "openapi.json", here / "rooms.d.ts")
    make_bruno(here / "openapi.json", here / "bruno")
