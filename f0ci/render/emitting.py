"""Data as YAML: one spelling for one value, which reads back as the same value."""

from __future__ import annotations

from functools import cache
from typing import Any

from f0ci.core.errors import Defect

# line breaks to YAML 1.1 but not to people; only double quotes keep them as they are
_OTHER_BREAKS = frozenset("\r\x85\u2028\u2029")
# wider than any line, so that no text is folded
_WIDTH = 1 << 30


def emit_yaml(data: Any) -> str:
    """Return data as block YAML in the order of its keys, without anchors, tags or comments.

    Texts of several lines become literal blocks where YAML allows it.

    Raises:
        Defect: the text would not read back as the same data.
    """
    import yaml

    from f0ci.source.yaml import read_yaml

    text: str = yaml.dump(
        data, Dumper=_dumper(), sort_keys=False, default_flow_style=False, allow_unicode=True, width=_WIDTH
    )
    reading = read_yaml(text.encode())
    if reading.broken or repr(reading.data) != repr(data):
        raise Defect("YAML that was written does not read back as the same data", "report the recipe or configuration")
    return text


@cache
def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """The safe dumper, which writes shared values out each time."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
            return True

    def represent_text(dumper: Any, text: str) -> Any:
        style = '"' if _OTHER_BREAKS & set(text) else "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent_text)
    return Dumper
