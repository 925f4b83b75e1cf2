"""Vectors to clusters: preprocessing, reduction, clustering, noise, quality, map. Pure and deterministic."""
