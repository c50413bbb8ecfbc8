"""The embedded synthetic survey: volumes and sections with salt, and crops like Kaggle's."""

from saltseg.survey.kaggle import write_kaggle_layout, write_truth
from saltseg.survey.pretraining import write_pretraining
from saltseg.survey.section_files import write_sections
from saltseg.survey.sections import Section, make_section
from saltseg.survey.survey_set import SurveySet, generate
from saltseg.survey.volume_files import write_volume

__all__ = [
    "Section",
    "SurveySet",
    "generate",
    "make_section",
    "write_kaggle_layout",
    "write_pretraining",
    "write_sections",
    "write_truth",
    "write_volume",
]
