"""Diagnosis of a trained model: what it does well and badly."""
