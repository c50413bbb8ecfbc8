"""What the documentation's site has beside docs/: files of the repository, and the reference.

MkDocs calls the functions whose names begin with `on_`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from saltseg.config.params import Params
from saltseg.config.schema import Section

REPOSITORY = Path(__file__).parent.parent

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "license.md",
    "CITATION.cff": "citation.md",
}
"""Files of the repository, and their pages."""

API = {
    "saltseg.load": {},
    "saltseg.serving.loaded_model.Model": {"members": ["predict"]},
    "saltseg.serving.salt_model.Prediction": {},
    "saltseg.score": {},
    "saltseg.rle": {"members": ["encode", "decode", "CodeError"]},
    "saltseg.survey.generate": {},
    "saltseg.survey.SurveySet": {},
    "saltseg.survey.make_section": {},
    "saltseg.survey.Section": {},
    "saltseg.InputError": {},
}
"""The public names, and what mkdocstrings shows of each."""

Schema = dict[str, Any]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that no file in docs/ holds."""
    made = {page: _from_repository(name) for name, page in PAGES.items()}
    made |= {"parameters.md": parameters(), "api.md": _api()}
    for page, content in made.items():
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to files of the repository to their pages."""
    depth = page.file.src_uri.count("/")
    for name, target in PAGES.items():
        markdown = markdown.replace(f"]({'../' * (depth + 1)}{name}", f"]({'../' * depth}{target}")
    return markdown


def _from_repository(name: str) -> str:
    """Return a file of the repository as a page whose links lead to other pages."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    if not name.endswith(".md"):
        return f"# {name}\n\n```text\n{text}```\n"
    for file, page in PAGES.items():
        text = text.replace(f"]({file}", f"]({page}")
    # Below an item, Python's Markdown wants four spaces where GitHub takes two.
    return re.sub(r"^  (?=[- \w])", "    ", text.replace("](docs/", "]("), flags=re.MULTILINE)


def _api() -> str:
    parts = [
        "# Python",
        "`import saltseg` offers these names; [From Python](python.md) shows them.",
    ]
    for name, options in API.items():
        lines = [f"        {key}: {value}" for key, value in options.items()]
        parts.append("\n".join([f"::: {name}", *(["    options:"] if lines else []), *lines]))
    return "\n\n".join(parts) + "\n"


def parameters() -> str:
    """Return the page of every parameter, from the schema of params.yaml and its docstrings."""
    schema = Params.model_json_schema()
    parts = schema["$defs"]
    sections = {name: _named(field) for name, field in schema["properties"].items()}
    others = [name for name in parts if name not in sections.values()]
    lines = [
        "# Parameters",
        "Every parameter of `params.yaml`, made from the schema that checks it"
        " (`src/saltseg/config`). [Recipes](recipes.md) set them.",
    ]
    for section, name in sections.items():
        described = parts[name] if name in parts else schema["properties"][section]
        lines += [f"## {section}", _described(described, parts)]
    lines += ["## Parts", "What sections hold."]
    for name in others:
        lines += [f"### {name}", _described(parts[name], parts)]
    return "\n\n".join(lines) + "\n"


def _described(schema: Schema, parts: dict[str, Schema]) -> str:
    """Return a section's docstring and the table of its fields."""
    said = schema.get("description", "")
    if "properties" not in schema:
        return f"{said} Each is {_kind(_values(schema))}."
    required, limits = schema.get("required", []), _limits_of(schema["title"])
    rows = []
    for name, field in schema["properties"].items():
        kind = _kind(field | limits.get(name, {}))
        # Where both say the same, the schema has it at the part alone.
        of_part = parts.get(_named(field), {}).get("description", "")
        meaning = field.get("description", of_part)
        default = "" if name in required else _default(field)
        rows.append(f"| `{name}` | {kind} | {default} | {meaning} |")
    return "\n".join([said, "", "| name | takes | default | meaning |", "|---|---|---|---|", *rows])


def _limits_of(title: str) -> dict[str, Schema]:
    """Return the limits of a section's numbers; pydantic's schema lacks those of `Float`."""
    keys = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
    fields = next(each for each in _sections(Section) if each.__name__ == title).model_fields
    return {
        name: {
            key: getattr(limit, attribute)
            for limit in field.metadata
            for attribute, key in keys.items()
            if hasattr(limit, attribute)
        }
        for name, field in fields.items()
    }


def _sections(section: type[Section]) -> Iterator[type[Section]]:
    for each in section.__subclasses__():
        yield each
        yield from _sections(each)


def _default(field: Schema) -> str:
    value = field.get("default")
    return "" if value is None or isinstance(value, dict | list) else f"`{value}`"


def _kind(field: Schema) -> str:
    """Describe what a field takes, with its limits."""
    if "$ref" in field:
        name = _named(field)
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in field:
            return " or ".join(_kind(each) for each in field[several])
    if "const" in field or "enum" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {_kind(field['items'])}"
    if field.get("type") == "object":
        return f"names, each with {_kind(_values(field))}"
    return f"{_TYPES[field['type']]}{_limits(field)}"


_TYPES = {
    "boolean": "true or false",
    "integer": "whole number",
    "null": "nothing",
    "number": "number",
    "string": "text",
}


def _limits(field: Schema) -> str:
    """Return " 0 to 1", " above 0" and so on."""
    if "minimum" in field and "maximum" in field:
        return f" {field['minimum']:,} to {field['maximum']:,}"
    words = {
        "minimum": "of at least",
        "exclusiveMinimum": "above",
        "maximum": "of at most",
        "exclusiveMaximum": "below",
    }
    found = [f"{word} {field[key]:,}" for key, word in words.items() if key in field]
    return f" {' and '.join(found)}" if found else ""


def _values(field: Schema) -> Schema:
    """Return what a mapping holds, whose names may have a pattern."""
    patterns: dict[str, Schema] = field.get("patternProperties", {})
    values: Schema = next(iter(patterns.values()), field.get("additionalProperties", {}))
    return values


def _named(field: Schema) -> str:
    return str(field.get("$ref", "")).rpartition("/")[2]
