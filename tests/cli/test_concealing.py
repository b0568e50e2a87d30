"""What a recipe can see of the f0ci that runs it: no token, wherever it looks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# every process from this one up to the test says what it was started with
LOOK = """\
metadata: {name: look, version: "1.0", description: Look around, author: me}
steps:
  - name: look
    idx: 1
    type: shell
    run: |
      pid=$$
      while [ "$pid" -gt 1 ] && [ "$pid" != "$(cat above.txt)" ]; do
        tr '\\0' '\\n' < "/proc/$pid/environ" >> seen.txt || echo "not shown" >> seen.txt
        pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
      done
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows processes in /proc")
@pytest.mark.parametrize("name", ["F0CI_GIT_TOKEN", "GITHUB_TOKEN", "SYSTEM_ACCESSTOKEN"])
def test_no_process_above_a_recipe_shows_a_token(name: str, tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/look.yaml").write_text(LOOK, encoding="utf-8")
    (tmp_path / "above.txt").write_text(str(os.getpid()))

    done = subprocess.run(
        [str(Path(sys.executable).parent / "f0ci"), "run", "recipes/look.yaml"],
        cwd=tmp_path,
        env={**os.environ, name: "a-secret-token", "SHOWN": "as it is"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    # a recipe's working folder is its repository
    seen = (tmp_path / "seen.txt").read_text(encoding="utf-8")
    assert "SHOWN=as it is" in seen or "not shown" in seen
    assert "a-secret-token" not in seen
