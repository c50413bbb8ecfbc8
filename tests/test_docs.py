"""The documentation's generated pages; `make docs` builds the site and checks its links."""

from collections.abc import Iterator

from pydantic import BaseModel

import saltseg
from docs.hooks import API, parameters
from saltseg.config.schema import Section


def sections(section: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in section.__subclasses__():
        yield each
        yield from sections(each)


def test_the_reference_has_every_parameter_with_its_docstring() -> None:
    page = parameters()
    fields = [
        (name, field.description)
        for section in sections(Section)
        if section.__name__ != "Params" and not section.__name__.startswith("_")
        for name, field in section.model_fields.items()
    ]
    assert len(fields) > 80
    assert not [name for name, said in fields if f"| {said or ''} |" not in page]
    assert "| `snapshot_decay` | number above 0 and of at most 1 |" in page
    assert "| `strategy` | `coverage`, `depth`, `coverage_grouped` |" in page


def test_the_reference_has_every_public_name() -> None:
    public = {name for name in saltseg.__all__ if not name.startswith("_")}
    assert public == {name.split(".")[1] for name in API} & public
