"""Reads the policy files into a fleet: the good targets, every finding, and the names of what was refused.

Touches the file system, read only, and nothing else. Bad content never raises: a bad target, file or `_defaults.yaml`
costs what rests on it and no more.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from warmcast.errors import FleetError
from warmcast.fleet.check import Checked, check, check_part, spell_out
from warmcast.fleet.findings import MISSING, Finding, Problem, Severity, did_you_mean, show
from warmcast.fleet.yaml12 import Document, Flaw, Node, read
from warmcast.model import TargetId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from warmcast.fleet.policy import Policy
    from warmcast.fleet.yaml12 import Plain

DEFAULTS = "_defaults.yaml"
SUFFIXES = frozenset({".yaml", ".yml"})
REPLACED = frozenset({"objective"})  # one choice, not a set of keys: it is replaced as a whole


@dataclass(frozen=True, slots=True)
class Home:
    """Where Warmcast runs: only what is there is managed.

    Args:
        account: 12 digits; empty where it is not known (a check offline).
        region: likewise.
        functions: names that the stack lets it touch, with the wildcards of an ARN (`*` and `?`).
    """

    account: str = ""
    region: str = ""
    functions: str = "*"


@dataclass(frozen=True, slots=True)
class Fleet:
    """All policies together.

    Args:
        policies: the good targets.
        findings: all that is to be mended or looked at, by file and line.
        version: what the caller gave, else a digest of the files.
        refused: names of bad targets (`function:qualifier`, else `file:line`) and of files that could not be used.
    """

    policies: Mapping[TargetId, Policy]
    findings: tuple[Finding, ...] = ()
    version: str = ""
    refused: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every target that the files name is here: only then is an absent one out of the fleet."""
        return not self.refused


@dataclass(frozen=True, slots=True)
class _Source:
    """A policy file, and the `_defaults.yaml` files above it, outermost first."""

    path: Path
    defaults: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A good target and where it stands."""

    id: TargetId
    policy: Policy
    node: Node


@dataclass(slots=True)
class _Draft:
    """The fleet as it grows."""

    home: Home
    documents: Mapping[Path, Document]
    unsound: set[Path] = field(default_factory=set)
    findings: dict[Finding, None] = field(default_factory=dict)
    entries: list[_Entry] = field(default_factory=list)
    refused: dict[str, None] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)

    def found(self, findings: Iterable[Finding]) -> bool:
        """Keep findings, each once; whether an error is among them."""
        new = tuple(findings)
        self.findings.update(dict.fromkeys(new))
        return any(finding.severity is Severity.ERROR for finding in new)


def load_fleet(paths: Sequence[Path], *, home: Home | None, version: str = "") -> Fleet:
    """Read every policy file in the folders (and below) and files given.

    Args:
        paths: folders and files; a file given by itself is governed by the `_defaults.yaml` beside it.
        home: where Warmcast runs, as far as that is known; None: nothing is. Ids have the account and the Region of it.
        version: of the fleet; a digest of the files if empty.

    Raises:
        FleetError: a path does not exist, there is no policy file at all, or none can be read.
    """
    sources = _sources(paths)
    contents = _contents(sources)
    documents = {path: _document(path, content) for path, content in contents.items()}
    draft = _Draft(home or Home(), documents)
    for path, document in documents.items():
        if path.name == DEFAULTS and draft.found(_defaults_findings(path, document)):
            draft.unsound.add(path)
    for source in sources:
        if source.path.name != DEFAULTS:
            _add_file(draft, source)
    policies = _unique(draft)
    findings = sorted(draft.findings, key=lambda finding: (finding.file, finding.line, finding.key))
    return Fleet(MappingProxyType(policies), tuple(findings), version or _digest(contents), tuple(draft.refused))


# --- files -----------------------------------------------------------------------------------------------------------


def _sources(paths: Sequence[Path]) -> tuple[_Source, ...]:
    found: dict[Path, _Source] = {}
    for path in paths:
        if path.is_dir():
            inside = (each for each in sorted(path.rglob("*")) if each.suffix in SUFFIXES and not each.is_dir())
            visible = (each for each in inside if not each.name.startswith(".") and each.name != DEFAULTS)
            files = [_Source(each, _defaults_above(each, path)) for each in visible]
            if not files:
                raise FleetError(f"{path}: no policy file (*.yaml) in this folder")
        elif path.exists():
            files = [_Source(path, _defaults_above(path, path.parent))]
        else:
            raise FleetError(f"{path}: no such file or folder")
        for source in files:
            found.setdefault(source.path.resolve(), source)
    if not found:
        raise FleetError("no policy files: give a folder or a file, such as src/fleet")
    return tuple(found.values())


def _defaults_above(path: Path, top: Path) -> tuple[Path, ...]:
    folders = [folder for folder in path.parents if folder == top or top in folder.parents]
    return tuple(folder / DEFAULTS for folder in reversed(folders) if (folder / DEFAULTS).is_file())


def _contents(sources: Sequence[_Source]) -> dict[Path, bytes | OSError]:
    contents: dict[Path, bytes | OSError] = {}
    for path in (path for source in sources for path in (*source.defaults, source.path)):
        if path not in contents:
            try:
                contents[path] = path.read_bytes()
            except OSError as error:
                contents[path] = error
    if all(isinstance(content, OSError) for content in contents.values()):
        raise FleetError("; ".join(f"{path}: can't be read: {error!s}" for path, error in contents.items()))
    return contents


def _document(path: Path, content: bytes | OSError) -> Document:
    if isinstance(content, OSError):
        return Document(None, (Flaw(Problem(("file",), "readable", f"not: {content.strerror or content}"), 1),))
    return read(content, str(path))


def _digest(contents: Mapping[Path, bytes | OSError]) -> str:
    digest = hashlib.sha256()
    for path, content in sorted(contents.items()):
        data = content if isinstance(content, bytes) else b""
        digest.update(f"{path.name} {len(data)}\n".encode() + data)
    return digest.hexdigest()[:12]


# --- defaults --------------------------------------------------------------------------------------------------------


def _defaults_findings(path: Path, document: Document) -> Iterator[Finding]:
    file = str(path)
    yield from (flaw.problem.at(file, flaw.line) for flaw in document.flaws)
    if document.root is None:
        return
    raw = document.root.plain()
    if not isinstance(raw, dict):
        yield Problem(("file",), "a mapping of the keys that targets share", show(raw)).at(file, document.root.line)
        return
    problems = check_part({key: value for key, value in raw.items() if key != "function"})
    if "function" in raw:
        problems += (Problem(("function",), "left to the targets", show(raw["function"])),)
    yield from (problem.at(file, document.root.nearest(problem.path).line) for problem in problems)


def _base(draft: _Draft, source: _Source) -> Node | None:
    """What the defaults above a file give together; None where one of them is not sound."""
    if draft.unsound.intersection(source.defaults):
        return None
    base = Node({}, str(source.path), 1)
    for path in source.defaults:
        root = draft.documents[path].root
        base = merge(base, root) if root is not None else base
    return base


def merge(base: Node, top: Node) -> Node:
    """`top` over `base`: mappings merge by key, all else is replaced (lists too, and `objective`: it is one choice)."""
    if not isinstance(base.value, dict) or not isinstance(top.value, dict):
        return top
    merged = dict(base.value)
    for key, node in top.value.items():
        merged[key] = merge(merged[key], node) if key in merged and key not in REPLACED else node
    return Node(merged, top.file, top.line)


# --- targets ---------------------------------------------------------------------------------------------------------


def _add_file(draft: _Draft, source: _Source) -> None:
    file, document = str(source.path), draft.documents[source.path]
    draft.found(_located(flaw, file) for flaw in document.flaws)
    items, problems = _items(document, file)
    if draft.found(problems) or items is None:
        draft.refused[file] = None
    flawed = {_index(flaw) for flaw in document.flaws if flaw.problem.severity is Severity.ERROR}
    whole = file not in draft.refused and None not in flawed
    if not whole:
        draft.refused[file] = None
    base = _base(draft, source)
    for index, node in enumerate(items or ()):
        _add_target(draft, node, base, usable=whole and index not in flawed)


def _index(flaw: Flaw) -> int | None:
    """The target that a flaw of the YAML lies in; None where it concerns the whole file."""
    match flaw.problem.path:
        case ("targets", int(index), *_):
            return index
        case _:
            return None


def _located(flaw: Flaw, file: str) -> Finding:
    match flaw.problem.path:
        case ("targets", int(), first, *rest):
            return replace(flaw.problem, path=(first, *rest)).at(file, flaw.line)
        case _:
            return flaw.problem.at(file, flaw.line)


def _items(document: Document, file: str) -> tuple[list[Node] | None, list[Finding]]:
    """The nodes under `targets`, and what is wrong with the file around them."""
    root = document.root
    if root is None:
        empty = Problem(("file",), "a mapping with the key targets", "empty")
        return None, [] if document.flaws else [empty.at(file, 1)]
    if not isinstance(root.value, dict):
        return None, [Problem(("file",), "a mapping with the key targets", show(root.plain())).at(file, root.line)]
    findings = [
        Problem((key,), "targets, the only key of a policy file", show(key), did_you_mean(key, ["targets"])).at(
            file, node.line
        )
        for key, node in root.value.items()
        if key != "targets"
    ]
    targets = root.value.get("targets")
    if targets is None:
        return None, findings or [Problem(("targets",), "given", MISSING).at(file, root.line)]
    if not isinstance(targets.value, list):
        return None, [*findings, Problem(("targets",), "a list", show(targets.plain())).at(file, targets.line)]
    return targets.value, findings


def _add_target(draft: _Draft, node: Node, base: Node | None, *, usable: bool) -> None:
    merged = node if base is None else merge(base, node)
    raw = merged.plain()
    if not isinstance(raw, dict):
        draft.found([Problem(("targets",), "a list of mappings", show(raw)).at(node.file, node.line)])
        draft.refused[f"{node.file}:{node.line}"] = None
        return
    checked = Checked(None, check_part(raw)) if base is None else check(raw)
    name = _name(raw, node)
    problems = list(checked.problems)
    if checked.policy is not None:
        problems.extend(_elsewhere(checked.policy, raw, draft))
    bad = draft.found(finding for problem in problems for finding in _target_finding(draft, problem, merged, name))
    if bad or checked.policy is None or not usable:
        draft.refused[name] = None
        return
    home = draft.home
    target = TargetId(home.account, home.region, checked.policy.function, checked.policy.qualifier)
    draft.entries.append(_Entry(target, checked.policy, merged))


def _name(raw: dict[str, Plain], node: Node) -> str:
    spelled, _ = spell_out(raw)
    function, qualifier = spelled.get("function"), spelled.get("qualifier")
    named = isinstance(function, str) and isinstance(qualifier, str | int)
    return f"{function}:{qualifier}" if named else f"{node.file}:{node.line}"


def _target_finding(draft: _Draft, problem: Problem, node: Node, name: str) -> Iterator[Finding]:
    """A problem at its line. In `_defaults.yaml` it names the target; what that file's own check told is left out."""
    place = node.nearest(problem.path)
    if place.file == node.file:
        yield problem.at(place.file, place.line)
        return
    known = {(finding.file, finding.line, finding.key) for finding in draft.findings}
    told = (place.file, place.line, problem.key) in known and Path(place.file) in draft.unsound
    if not told:
        hint = "; ".join(filter(None, (problem.hint, f"for {name} at {node.file}:{node.line}")))
        yield replace(problem, hint=hint).at(place.file, place.line)


def _elsewhere(policy: Policy, raw: Mapping[str, Plain], draft: _Draft) -> Iterator[Problem]:
    """A target that is not where Warmcast runs can't be managed yet.

    Where that is not known, the first place that a target names is as good as any; a second one is elsewhere for sure.
    """
    home = draft.home
    if not fnmatchcase(policy.function, home.functions):
        rule = f"within the stack's FunctionPattern ({home.functions})"
        yield Problem(("function",), rule, show(policy.function), "the function's role may not touch it")
    for key, given in (("account", policy.account), ("region", policy.region)):
        path = (key,) if raw.get(key) is not None else ("function",)
        here = getattr(home, key)
        if given is None or given == here:
            continue
        first = draft.named.setdefault(key, given)
        if not here and given != first:
            hint = "another account or Region is not carried out by this version"
            yield Problem(path, f"where the rest of the fleet is ({first})", show(given), hint)
        elif here:
            hint = "another account or Region is not carried out by this version"
            yield Problem(path, f"where Warmcast runs ({here})", show(given), hint)
        else:
            hint = f"pass --{key} to have it compared"
            yield Problem(path, "where Warmcast runs (not known here)", show(given), hint, Severity.WARNING)


def _unique(draft: _Draft) -> dict[TargetId, Policy]:
    """The targets that are given once; of one given twice nobody can tell which policy is meant."""
    groups: defaultdict[TargetId, list[_Entry]] = defaultdict(list)
    for entry in draft.entries:
        groups[entry.id].append(entry)
    for target, (first, *others) in groups.items():
        for other in others:
            here, there = other.node.nearest(("function",)), first.node.nearest(("function",))
            hint = f"also at {there.file}:{there.line}"
            problem = Problem(("function",), "given once in the fleet", show(f"{target}") + " again", hint)
            draft.found([problem.at(here.file, here.line)])
            draft.refused[str(target)] = None
    return {target: group[0].policy for target, group in sorted(groups.items()) if len(group) == 1}
