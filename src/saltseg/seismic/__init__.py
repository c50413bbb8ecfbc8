"""Surveys as an interpreter has them: SEG-Y, zarr stores and arrays, opened without loading them.

`opening.open_survey` opens any of them as a `survey.Survey`; `inspection.inspect` says what it is.
"""
