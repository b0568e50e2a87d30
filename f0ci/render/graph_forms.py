"""A drawing as text for terminals, as Mermaid for Markdown, or in Graphviz's language."""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.escaping import escape_controls
from f0ci.render.graph import Drawing, Graph, Node

_LAST, _MORE = ("└─ ", "   "), ("├─ ", "│  ")
# a line of a tree: its text, and the lines below it
_Branch = tuple[str, "list[_Branch]"]


def to_text(drawing: Drawing) -> str:
    """Return a tree: nodes from first to last, with `<-` what each waits for, and what each calls below it."""
    seen: set[str] = set()
    return "\n".join([*_tree(_graph_branch(drawing, drawing.root, seen), "", "")]) + "\n"


def _graph_branch(drawing: Drawing, key: str, seen: set[str]) -> _Branch:
    graph = drawing.graphs[key]
    title = f"{graph.title}  ({graph.detail})"
    if key in seen:
        return f"{title}, as above", []
    seen.add(key)
    branches: list[_Branch] = []
    for batch in graph.batches:
        members = [_node_branch(drawing, graph, node, seen) for node in batch]
        groups = {node.group for node in batch}
        if len(members) == 1:
            branches += members
        else:
            group = groups.pop() if len(groups) == 1 else None
            branches.append((f"side by side: {group}" if group else "side by side", members))
    if graph.on_error:
        branches.append(("after a failure", [_node_branch(drawing, graph, node, seen) for node in graph.on_error]))
    return title, branches


def _node_branch(drawing: Drawing, graph: Graph, node: Node, seen: set[str]) -> _Branch:
    words = [node.name]
    if graph.before.get(node.name):
        words.append(f"<- {', '.join(graph.before[node.name])}")
    if node.condition is not None:
        words.append(f"if {node.condition}")
    if node.notes:
        words.append(f"[{'; '.join(node.notes)}]")
    below = [_graph_branch(drawing, node.calls, seen)] if node.calls is not None else []
    return "  ".join(words), below


def _tree(branch: _Branch, first: str, rest: str) -> Iterator[str]:
    text, below = branch
    yield first + escape_controls(text)
    for index, inner in enumerate(below):
        corner, line = _LAST if index == len(below) - 1 else _MORE
        yield from _tree(inner, rest + corner, rest + line)


def to_mermaid(drawing: Drawing) -> str:
    """Return a Mermaid flowchart; what is called is a box of its own, reached by a dotted arrow."""
    ids = _ids(drawing)
    lines = ["flowchart TD"]
    for number, (key, graph) in enumerate(drawing.graphs.items()):
        lines.append(f'  subgraph g{number}["{_mermaid(f"{graph.title} ({graph.detail})")}"]')
        for node in graph.nodes:
            shape = ('(["', '"])') if node in graph.on_error else ('["', '"]')
            label = "<br/>".join(map(_mermaid, _label(node, on_error=node in graph.on_error)))
            lines.append(f"    {ids[key, node.name]}{shape[0]}{label}{shape[1]}")
        lines.append("  end")
    for key, graph in drawing.graphs.items():
        lines.extend(f"  {ids[key, before]} --> {ids[key, after]}" for before, after in _edges(graph))
    numbers = {key: number for number, key in enumerate(drawing.graphs)}
    lines.extend(f"  {ids[key, name]} -.-> g{numbers[called]}" for key, name, called in _calls(drawing))
    return "\n".join(lines) + "\n"


def to_dot(drawing: Drawing) -> str:
    """Return a Graphviz digraph; what is called is a cluster of its own, reached by a dashed arrow."""
    ids = _ids(drawing)
    lines = ["digraph f0ci {", "  compound=true;", "  node [shape=box];"]
    for number, (key, graph) in enumerate(drawing.graphs.items()):
        lines += [f"  subgraph cluster_{number} {{", f"    label={_quoted(f'{graph.title} ({graph.detail})')};"]
        for node in graph.nodes:
            style = ", style=rounded" if node in graph.on_error else ""
            label = "\\n".join(map(_dot, _label(node, on_error=node in graph.on_error)))
            lines.append(f'    {ids[key, node.name]} [label="{label}"{style}];')
        lines.append("  }")
    for key, graph in drawing.graphs.items():
        lines.extend(f"  {ids[key, before]} -> {ids[key, after]};" for before, after in _edges(graph))
    numbers = {key: number for number, key in enumerate(drawing.graphs)}
    for key, name, called in _calls(drawing):
        inside = drawing.graphs[called].nodes
        if inside:
            # Graphviz draws arrows between nodes only, and cuts this one off at the cluster's border
            target = f"{ids[called, inside[0].name]} [style=dashed, lhead=cluster_{numbers[called]}]"
            lines.append(f"  {ids[key, name]} -> {target};")
    return "\n".join([*lines, "}"]) + "\n"


def _ids(drawing: Drawing) -> dict[tuple[str, str], str]:
    keys = [(key, node.name) for key, graph in drawing.graphs.items() for node in graph.nodes]
    return {key: f"n{number}" for number, key in enumerate(keys)}


def _edges(graph: Graph) -> Iterator[tuple[str, str]]:
    for node in graph.nodes:
        for before in graph.before.get(node.name, ()):
            yield before, node.name


def _calls(drawing: Drawing) -> Iterator[tuple[str, str, str]]:
    """Yield every call: key of the calling graph, name of the node, key of the called graph."""
    for key, graph in drawing.graphs.items():
        for node in graph.nodes:
            if node.calls is not None:
                yield key, node.name, node.calls


def _label(node: Node, *, on_error: bool) -> Iterator[str]:
    yield node.name
    if node.condition is not None:
        yield f"if {node.condition}"
    if on_error:
        yield "after a failure"
    if node.group is not None:
        yield f"group {node.group}"
    yield from node.notes


def _mermaid(text: str) -> str:
    # Mermaid writes characters that mean something to it as '#', their number, ';'
    return "".join(char if char not in '"#<>&;`\\' and char.isprintable() else f"#{ord(char)};" for char in text)


def _dot(text: str) -> str:
    return escape_controls(text.replace("\\", "\\\\").replace('"', '\\"'))


def _quoted(text: str) -> str:
    return f'"{_dot(text)}"'
