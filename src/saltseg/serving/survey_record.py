"""The record of a survey's outputs: what they were made from, how, and what was inferred.

It holds no time, no host and no place of the output: equal inputs give an equal record.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from saltseg import __version__
from saltseg.project.lineage import code_digest
from saltseg.seismic.amplitudes import zero_notes
from saltseg.seismic.fingerprint import fingerprint
from saltseg.seismic.sample_encoding import integer_scale, output_format
from saltseg.seismic.segy import SegySurvey
from saltseg.seismic.store import StoredSurvey
from saltseg.seismic.survey import Survey


def survey_record(
    survey: Survey,
    store: StoredSurvey,
    choices: Mapping[str, Any],
    results: Mapping[str, Any],
    folder: Path,
) -> dict[str, Any]:
    """Return the record as JSON values; folder: where the outputs lie that it hashes."""
    return {
        "saltseg": __version__,
        "code": code_digest(),
        "survey": {"file": str(survey.path)} | fingerprint(survey.path),
        "prediction": {"file": store.path.name} | fingerprint(store.path),
        "model": store.facts.get("model", {}),
        "predicted_with": store.facts,
        "options": asdict(survey.options),
        "choices": _plain(choices),
        "inferred": _inferred(survey),
        "results": dict(results),
        "files": {
            path.name: fingerprint(path)
            for path in sorted(folder.iterdir())
            if not path.name.startswith(".")
        },
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    paths = {name: str(value) for name, value in values.items() if isinstance(value, Path)}
    return dict(values) | paths


def _inferred(survey: Survey) -> dict[str, Any]:
    """Return what the survey's file was found to say, and what was made of it."""
    facts: dict[str, Any] = {
        "kind": survey.kind,
        "places": survey.grid.places,
        "traces": survey.grid.count,
        "sampling": asdict(survey.sampling),
        "notes": [*survey.notes, *zero_notes(survey)],
    }
    if not isinstance(survey, SegySurvey):
        return facts
    header, written = survey.layout.header, output_format(survey.layout.header)
    at = survey.coordinates
    return facts | {
        "byte_order": header.order.value,
        "sample_format": header.sample_format.number,
        "inline_byte": survey.geometry.inline_byte,
        "crossline_byte": survey.geometry.crossline_byte,
        "coordinate_bytes": None if at is None else at.bytes,
        "written_sample_format": written.number,
        "written_probability_of_1": integer_scale(written),
    }
