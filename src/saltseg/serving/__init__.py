"""The trained pipeline put to use: as a model, on files, promoted, served."""
