"""Using the trained pipeline: prediction on files, serving, promotion, upload to Kaggle."""
