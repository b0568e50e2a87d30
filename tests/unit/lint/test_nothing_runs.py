"""Validating reads; it never imports, runs or sends anything, whatever the files say."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from f0ci.commands.validating import validate
from f0ci.core.errors import F0ciError
from f0ci.expressions.evaluation import evaluate
from tests.conftest import write_files

_TRAP = b"""import pathlib
pathlib.Path(__file__).with_name("sprung").touch()
class Load:
    def run(self, context):
        pathlib.Path(__file__).with_name("sprung").touch()
"""
_RECIPE = b"""metadata: {name: trap}
parameters:
  - {name: a, type: string, default: x, validation: {pattern: "(a+)+$"}}
steps:
  - name: load
    type: python
    module: trap.load
    function: Load
    args: {path: "#{params.a.__class__.__mro__}", text: "#{open('/etc/passwd').read()}"}
  - name: shell
    run: touch trap/sprung; curl http://127.0.0.1:9/
    depends_on: [load]
"""
_ATTACKS = (
    "#{''.__class__.__mro__[1].__subclasses__()}",
    "#{params.__class__}",
    "#{params['__class__']}",
    "#{params.items()}",
    "#{params | attr('__class__')}",
    "#{params | map('upper')}",
    "#{open('/etc/passwd')}",
    "#{__import__('os').system('id')}",
    "#{self._TemplateReference__context}",
    "#{cycler.__init__.__globals__.os.popen('id')}",
    "#{config.from_object('os')}",
    "#{context.get.__globals__}",
    "{{ lipsum.__globals__['os'] }}",
    "#{'%c' % 1}",
    "#{'{0.__class__}'.format(params)}",
    "#{params.text.format}",
)
# what would tell of reaching out: names of the interpreter's audit events
_REACHING = ("os.system", "subprocess.", "socket.", "os.exec", "os.posix_spawn", "os.fork", "urllib.", "ctypes.")


def _events(work: Callable[[], object]) -> list[tuple[str, str]]:
    """Return what some work does to the world, as the interpreter audits it, each with its first argument."""
    found: list[tuple[str, str]] = []
    is_watched = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if is_watched:
            found.append((event, str(arguments[0]) if arguments else ""))

    # a hook stays for the life of the process, and is deaf after this call
    sys.addaudithook(watch)
    try:
        work()
    finally:
        is_watched = False
    return found


def test_validating_runs_and_imports_nothing_of_a_repository(tmp_path: Path) -> None:
    write_files(tmp_path, {"recipes/trap.yaml": _RECIPE, "trap/__init__.py": _TRAP, "trap/load.py": _TRAP})
    before = set(sys.modules)

    events = _events(lambda: validate(tmp_path))

    assert not (tmp_path / "trap" / "sprung").exists()
    assert not {name for name in set(sys.modules) - before if name.split(".")[0] == "trap"}
    assert [event for event in events if event[0].startswith(_REACHING)] == []
    executed = [argument for event, argument in events if event == "exec" and str(tmp_path) in argument]
    assert executed == []
    written = [argument for event, argument in events if event in {"os.remove", "os.rename", "os.mkdir", "os.putenv"}]
    assert written == []


def test_expressions_reach_no_attribute_file_or_network() -> None:
    values = {"params": {"a": "x", "text": "t"}, "config": {}, "steps": {}, "environment": "dev"}
    answers: list[object] = []

    def attack() -> None:
        for text in _ATTACKS:
            try:
                answers.append((text, evaluate(text, values)))
            except F0ciError:
                continue

    # what f0ci itself imports when it is first asked is imported now
    attack()
    events = _events(attack)

    assert answers == []
    assert [event for event in events if event[0] in {"open", "import"} or event[0].startswith(_REACHING)] == []
