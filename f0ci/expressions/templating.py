"""What templates know, for those who render them and those who check them; nothing here needs Jinja."""

from __future__ import annotations

SUFFIX = ".j2"
# names that every template can ask for
NAMES = frozenset({"config", "environment", "overlay", "params", "release", "rollout"})
# of Jinja's own functions those that give the same everywhere
GLOBALS = frozenset({"range", "dict", "namespace", "cycler", "joiner"})
# its answer would differ from run to run
REMOVED_FILTERS = frozenset({"random"})
OWN_FILTERS = frozenset({"to_json", "to_toml", "to_yaml"})
