"""Redshift and class of any spectrum, without a label: templates slid over it."""
