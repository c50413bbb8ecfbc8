"""A small survey that the tests of this folder share."""

import pytest

from saltseg.survey import SurveySet, generate
from saltseg.survey.sections import Section, make_section

SEED = 4


@pytest.fixture(scope="session")
def survey() -> SurveySet:
    return generate(150, 30, seed=SEED, workers=0)


@pytest.fixture(scope="session")
def sections() -> list[Section]:
    return [make_section(SEED, number) for number in range(12)]
