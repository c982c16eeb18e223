"""Redshift and star-formation files of surveys and inspectors become labels."""
