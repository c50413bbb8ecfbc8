"""Kernels: what makes networks faster and changes nothing else."""
