"""The embedded synthetic survey: seismic sections with salt, cut into crops as Kaggle's are."""

from saltseg.survey.kaggle import write_kaggle_layout, write_truth
from saltseg.survey.pretraining import write_pretraining
from saltseg.survey.section_files import write_sections
from saltseg.survey.survey_set import SurveySet, generate

__all__ = [
    "SurveySet",
    "generate",
    "write_kaggle_layout",
    "write_pretraining",
    "write_sections",
    "write_truth",
]
