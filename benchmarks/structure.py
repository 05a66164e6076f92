"""Count the package's modules, functions, statements, bare `Any`s and long sentences.

    python -m benchmarks.structure [ROOT]

Expected on 2026-11-26: fewer statements than the version before 0.1.0, no module over 300 lines and no sentence over 30
words in a help text or a message.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

LONG = 30  # words of a sentence


def main() -> None:
    """Print one line for each count."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((root / "artsim").rglob("*.py"))}
    lines = [len(path.read_text(encoding="utf-8").splitlines()) for path in trees if path.name != "__init__.py"]
    functions = [
        node.end_lineno - node.lineno + 1
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]
    print(f"modules    {len(lines)}, lines {_spread(lines)}")
    print(f"functions  {len(functions)}, lines {_spread(functions)}")
    print(f"statements {sum(isinstance(node, ast.stmt) for tree in trees.values() for node in ast.walk(tree))}")
    print(f"bare Any   {sum(_bare_anys(tree) for tree in trees.values())}")
    shared = _shared_names(trees)
    print(f"names      {len(shared)} top-level names with several definitions: {', '.join(sorted(shared))}")
    texts = [text for tree in trees.values() for text in _texts(tree)]
    print(f"sentences  {_long(texts)} over {LONG} words in docstrings, help texts and messages")
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    print(f"docs       {_long([_prose(path) for path in pages if path.name != 'cli.md'])} sentences over {LONG} words")
    print(f"README     {len(pages[0].read_text(encoding='utf-8').splitlines())} lines")


def _spread(values: list[int]) -> str:
    return f"median {median(values):g}, p90 {quantiles(values, n=10)[-1]:.0f}, max {max(values)}"


def _bare_anys(tree: ast.Module) -> int:
    """Annotations that are `Any` and nothing else."""
    annotations: list[ast.expr | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            annotations.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            annotations.append(node.returns)
    return sum(isinstance(each, ast.Name) and each.id == "Any" for each in annotations)


def _shared_names(trees: dict[Path, ast.Module]) -> set[str]:
    """Public names that several modules define at their top level; a command and its job may share one."""
    places: dict[str, set[Path]] = defaultdict(set)
    for path, tree in trees.items():
        for node in tree.body:
            for name in _defined(node):
                if not name.startswith("_") and name not in ("EPILOG",):
                    places[name].add(path)
    return {name for name, paths in places.items() if len(paths) > 1}


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _texts(tree: ast.Module) -> Iterator[str]:
    """String constants and f-strings that are prose: of eight words or more."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            text = node.value
        else:
            continue
        if len(text.split()) >= 8:
            yield text


def _prose(path: Path) -> str:
    """A page of Markdown without code, tables and headings."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    kept = [line for line in text.splitlines() if not line.startswith(("|", "#", "    "))]
    return re.sub(r"\n\s*[-*] ", "\n\n", "\n".join(kept))


def _long(texts: list[str]) -> int:
    counts: Counter[bool] = Counter()
    for text in texts:
        for part in re.split(r"\n\s*\n|\n {4,}(?=\w+: )|\n +- ", text):
            sentences = re.split(r"(?<=[.!?:])\s+", part.replace("\n", " "))
            counts.update(len(sentence.split()) > LONG for sentence in sentences)
    return counts[True]


if __name__ == "__main__":
    main()
