"""What f0ci itself imports: a tree's folder of that name never stands for it."""

from __future__ import annotations

OWN_IMPORTS = frozenset(
    [
        "attr",
        "attrs",
        "certifi",
        "charset_normalizer",
        "click",
        "f0ci",
        "git",
        "gitdb",
        "idna",
        "jinja2",
        "jsonschema",
        "jsonschema_rs",
        "markupsafe",
        "pygments",
        "referencing",
        "requests",
        "rich",
        "rpds",
        "smmap",
        "urllib3",
        "yaml",
    ]
)
