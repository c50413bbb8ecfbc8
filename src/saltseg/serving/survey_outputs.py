"""From a finished prediction of a survey to what an interpreter loads, looks at and keeps."""

from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import write_csv, write_json
from saltseg.plumbing.outputs import protected_outputs
from saltseg.reports.survey_page import SECTIONS, SurveyPage, write_page
from saltseg.reports.survey_sections import (
    SectionName,
    SectionSource,
    draw_survey_section,
    parse_section,
    usual_sections,
)
from saltseg.seismic.amplitudes import sampled_traces
from saltseg.seismic.bodies import Bodies, find_bodies
from saltseg.seismic.body_store import BODY, write_bodies
from saltseg.seismic.body_table import body_table, cell_volume, least_body
from saltseg.seismic.bricks import Brick
from saltseg.seismic.bucket import located
from saltseg.seismic.grid import NO_TRACE, Grid
from saltseg.seismic.horizons import BASE, HORIZONS, TOP, write_horizons
from saltseg.seismic.no_data import known_samples
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.salt_surface import salt_surface
from saltseg.seismic.same_places import check_lines, check_sampling
from saltseg.seismic.segy import SegySurvey
from saltseg.seismic.segy_output import Values, segy_contents, write_segy
from saltseg.seismic.store import StoredSurvey, open_store
from saltseg.seismic.survey import Survey
from saltseg.serving.survey_record import survey_record

NEEDED = ("probability", "mask", "live")
BODIES, LABELS, PICTURES, PAGE, RECORD = (
    "bodies.csv",
    "bodies.zarr",
    "sections",
    "survey.html",
    "record.json",
)
NAMES = (
    *(LABELS, BODIES, HORIZONS, TOP, BASE, "probability.sgy", "mask.sgy"),
    *(PICTURES, PAGE, RECORD),
)
"""What write_outputs makes."""
_OTHER_TRUTH = "name another --truth, of the survey's places"


@dataclass(frozen=True)
class OutputChoices:
    """What a person chooses of the outputs.

    sections: to be drawn, such as "inline:1023" or "sample:1400"; none for the middle one along
    each axis. truth: a volume of the true salt, from 0 to 1 and over .5 in salt, or None. least:
    samples of the smallest body that is kept; None for what the survey can resolve.
    """

    sections: tuple[str, ...] = ()
    truth: Path | None = None
    least: int | None = None


def write_outputs(
    prediction: Path,
    survey: Survey,
    out: Path,
    choices: OutputChoices,
    force: bool = False,
) -> dict[str, Any]:
    """Write NAMES into `out`; return the record, which record.json holds.

    prediction: a finished store with the places of `survey`. force: replace what an earlier call
    wrote. Raises InputError for stores and truths of another survey, for sections that it lacks,
    and where files would be lost, before any work; and where one cannot be written.
    """
    store = open_store(prediction, survey.options, NEEDED)
    _check_grid(store, survey)
    names = [parse_section(text, survey) for text in choices.sections] or usual_sections(survey, 1)
    with ExitStack() as stack:
        truth = None
        if choices.truth is not None:
            truth = stack.enter_context(open_survey(choices.truth, survey.options))
            _check_truth(truth, survey)
        outputs = stack.enter_context(protected_outputs(out, NAMES, force))
        making = _Making(outputs.staging, survey, store, truth)
        results = making.make(names, choices.least)
        record = survey_record(survey, store, asdict(choices), results, outputs.staging)
        write_json(outputs.staging / RECORD, record)
        outputs.place(*NAMES)
    return record


def _check_grid(store: StoredSurvey, survey: Survey) -> None:
    same = _same(store.grid, survey.grid) and store.sampling.count == survey.sampling.count
    if not same:
        raise InputError(
            f"{store.path}: was not predicted on {survey.path}, whose lines, traces or samples are"
            " others; name the survey that it was predicted on, with the same options"
        )


def _same(one: Grid, other: Grid) -> bool:
    return (
        np.array_equal(one.inlines, other.inlines)
        and np.array_equal(one.crosslines, other.crosslines)
        and np.array_equal(one.traces == NO_TRACE, other.traces == NO_TRACE)
    )


def _check_truth(truth: Survey, survey: Survey) -> None:
    """Raise InputError where it is that of other places, or holds other values than a truth."""
    check_sampling(truth, survey, _OTHER_TRUTH)
    check_lines(truth, survey, _OTHER_TRUTH)
    values = truth.raw(sampled_traces(truth))
    values = values[known_samples(values, truth.options.null)]
    least, most = values.min(initial=0), values.max(initial=1)
    if least < 0 or most > 1:
        raise InputError(
            f"{truth.path}: holds {values.min():g} to {values.max():g}; a truth is 0, and 1 in"
            " salt; name another --truth"
        )


@dataclass(frozen=True)
class _Making:
    """Makes the outputs in a folder."""

    folder: Path
    survey: Survey
    store: StoredSurvey
    truth: Survey | None

    def make(self, names: list[SectionName], least: int | None) -> dict[str, Any]:
        """Write all but the record; return what was found."""
        limit = least_body(self.survey) if least is None else least
        bodies = find_bodies(self.store, limit)
        labels = write_bodies(self.folder / LABELS, self.survey, self.store, bodies)
        cell = cell_volume(self.survey)
        table = body_table(bodies, self.store, cell)
        write_csv(self.folder / BODIES, table)
        intervals = write_horizons(self.folder, self.store, labels)
        self._write_segy(labels)
        source = SectionSource(self.survey, self.store, labels, self.truth)
        measured = self._draw(source, names)
        self._write_page(source, table)
        return {
            **_counts(bodies, cell),
            "intervals": intervals,
            "sections": measured,
        }

    def _write_segy(self, labels: StoredSurvey) -> None:
        """Write SEG-Y files where the survey is one; zeros stand where there is no data."""
        if not isinstance(self.survey, SegySurvey):
            return

        def probability(brick: Brick) -> Values:
            values = self.store.block("probability", *brick.slices).astype(np.float32)
            return np.where(self.store.block("live", *brick.slices), values, np.float32(0))

        def mask(brick: Brick) -> Values:
            return (labels.block(BODY, *brick.slices) > 0).astype(np.float32)

        contents = segy_contents(self.survey, self.folder, probability, mask)
        write_segy(self.survey, self.store, contents)

    def _draw(self, source: SectionSource, names: list[SectionName]) -> dict[str, Any]:
        measured = {}
        for name in names:
            section = source.read(name)
            title = f"{str(name).replace(':', ' ')} of {self.survey.path.name}"
            draw_survey_section(self.folder / PICTURES, section, title)
            measured[str(name)] = section.measures()
        return measured

    def _write_page(self, source: SectionSource, table: pd.DataFrame) -> None:
        surface = salt_surface(source.labels)
        page = SurveyPage(f"Salt in {self.survey.path.name}", _summary(table), surface, table)
        write_page(self.folder / PAGE, page, source, usual_sections(self.survey, SECTIONS))


def _counts(bodies: Bodies, cell: float | None) -> dict[str, Any]:
    salt = int(bodies.table["samples"].sum())
    return {
        "bodies": len(bodies.table),
        "salt_samples": salt,
        "salt_m3": None if cell is None else salt * cell,
        "cubic_metres_of_a_sample": cell,
        "least_body": bodies.least,
        "removed_bodies": bodies.removed,
        "removed_samples": bodies.removed_samples,
    }


def _summary(table: pd.DataFrame) -> str:
    bodies, samples = len(table), int(table["samples"].sum())
    text = f"{bodies:,} {'body' if bodies == 1 else 'bodies'} of salt, {samples:,} samples"
    volume = table["volume_m3"].sum(min_count=1)
    return text if pd.isna(volume) else f"{text}, {volume:,.6g} cubic metres"


def stored_options(store: Path) -> tuple[Path | None, SurveyOptions]:
    """Return the survey that a store was predicted on, and the options that it was read with.

    None and the usual options where the store does not say them. Raises InputError as open_store.
    """
    facts = open_store(store, SurveyOptions(), NEEDED).facts.get("prediction", {})
    known = {field.name for field in fields(SurveyOptions)}
    given = {key: value for key, value in facts.get("options", {}).items() if key in known}
    file = facts.get("survey", {}).get("file")
    return located(Path(file)) if file else None, SurveyOptions.of(given)
