"""Dependencies point one way: entry points -> tick -> brain -> model, and only the edge knows AWS."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = SOURCE / "warmcast"

# Whoever starts Warmcast: these read clock and environment, build clients, and are imported by nobody.
ENTRY_POINTS = {"warmcast.start", "warmcast.handler", "warmcast.cli", "warmcast.commands", "warmcast.__main__"}
# What touches the world: AWS, files, standard output.
EDGE = {"warmcast.act", "warmcast.aws", "warmcast.observe", "warmcast.emit", "warmcast.workshop"}
# What a backtest reads and draws; the rest of the simulator is as pure as the brain that it drives.
FILES_OF_A_BACKTEST = {"warmcast.simulate.reading", "warmcast.simulate.picture"}
AWS_SDK = {"boto3", "botocore"}
CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.monotonic",
    "time.perf_counter",
    "time.sleep",
    "time.gmtime",
    "time.localtime",
}
ENVIRONMENT = {"os.environ", "os.getenv"}
CHANCE = {"random", "secrets", "uuid"}


@dataclass(frozen=True)
class Module:
    """One source file as a module."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def layer(self) -> str:
        """The module, or the package directly under `warmcast` that it is in."""
        return ".".join(self.name.split(".")[:2])

    def imports(self) -> set[str]:
        """Every module imported anywhere in the file, those for types alone left out."""
        found = set()
        for node in _without_type_checking(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        return found

    def mentions(self) -> set[str]:
        """Every dotted name that the code spells out, such as `datetime.now`, by its last two parts; aliases undone."""
        imported = [node for node in ast.walk(self.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        real = {alias.asname: alias.name for node in imported for alias in node.names if alias.asname}
        names = {ast.unparse(node) for node in ast.walk(self.tree) if isinstance(node, ast.Attribute)}
        parts = [[real.get(part, part) for part in name.split(".")] for name in names]
        return {".".join(each[-2:]) for each in parts} | self.imports()


def _without_type_checking(tree: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        found += [node, *_without_type_checking(node)]
    return found


def _modules() -> list[Module]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        found.append(Module(name, path, ast.parse(path.read_text(encoding="utf-8"))))
    return found


MODULES = _modules()
INSIDE = [module for module in MODULES if module.layer not in EDGE | ENTRY_POINTS]
OUTSIDE_THE_BRAIN = {"warmcast.tick", "warmcast.fleet", "warmcast.settings"} | FILES_OF_A_BACKTEST
BRAIN = [module for module in INSIDE if not {module.layer, module.name} & OUTSIDE_THE_BRAIN]


def test_the_modules_are_found() -> None:
    """The other tests say nothing if there is nothing to look at."""
    names = {module.name for module in BRAIN}
    assert {"warmcast.simulate.replay", "warmcast.simulate.score"} <= names
    assert {"warmcast.brain", "warmcast.decide", "warmcast.share", "warmcast.model", "warmcast.report"} <= names


@pytest.mark.parametrize("module", [m for m in MODULES if not m.name.startswith("warmcast.aws")], ids=lambda m: m.name)
def test_only_the_clients_know_the_sdk(module: Module) -> None:
    """boto3 and botocore are imported in `warmcast.aws` and nowhere else."""
    assert {name.split(".")[0] for name in module.imports()}.isdisjoint(AWS_SDK)


@pytest.mark.parametrize("module", INSIDE, ids=lambda m: m.name)
def test_nothing_inside_imports_the_edge_or_an_entry_point(module: Module) -> None:
    """The tick declares ports; the edge implements them, and entry points bring the two together."""
    layers = {".".join(name.split(".")[:2]) for name in module.imports()}
    assert layers.isdisjoint(EDGE | ENTRY_POINTS)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.name)
def test_nobody_imports_an_entry_point(module: Module) -> None:
    """`python -m warmcast` calls the command line, that its commands, and what Lambda imports hands on the handler."""
    callers = {"warmcast.__main__": {"warmcast.cli"}, "warmcast.start": {"warmcast.handler"}}
    commands = {"warmcast.cli": {"warmcast.commands"}, "warmcast.commands": {"warmcast.commands"}}
    allowed = (callers | commands).get(module.layer, set())
    layers = {".".join(name.split(".")[:2]) for name in module.imports()}
    assert layers & ENTRY_POINTS <= allowed


@pytest.mark.parametrize("module", INSIDE, ids=lambda m: m.name)
def test_nothing_inside_reads_a_clock_the_environment_or_chance(module: Module) -> None:
    """`now` is a parameter, settings are given, and a decision can be replayed from its observation alone."""
    assert module.mentions().isdisjoint(CLOCKS | ENVIRONMENT)
    assert {name.split(".")[0] for name in module.imports()}.isdisjoint(CHANCE)


@pytest.mark.parametrize("module", BRAIN, ids=lambda m: m.name)
def test_the_brain_touches_no_file_and_no_network(module: Module) -> None:
    """Policy, observation and now in, a decision out."""
    touched = {name.split(".")[0] for name in module.imports()}
    assert touched.isdisjoint({"socket", "urllib", "http", "requests", "subprocess", "pathlib", "io", "threading"})
    calls = {ast.unparse(node.func) for node in ast.walk(module.tree) if isinstance(node, ast.Call)}
    assert "open" not in calls


def test_the_model_stands_on_nothing_of_ours() -> None:
    """The vocabulary comes first."""
    model = [module for module in MODULES if module.layer == "warmcast.model"]
    assert len(model) > 1
    imported = {name for module in model for name in module.imports() if name.startswith("warmcast")}
    assert {name for name in imported if not name.startswith("warmcast.model")} == set()


def test_stages_do_not_import_each_other_in_circles() -> None:
    """Reading the files in the order of their imports tells the story once."""
    layers = {module.layer for module in MODULES} - {"warmcast"}
    needs: dict[str, set[str]] = {layer: set() for layer in layers}
    for module in MODULES:
        imported = {".".join(name.split(".")[:2]) for name in module.imports()}
        needs.setdefault(module.layer, set()).update((imported & layers) - {module.layer})
    while ready := [layer for layer, needed in needs.items() if not needed & needs.keys()]:
        for layer in ready:
            del needs[layer]
    assert needs == {}
