"""Catalogs, spectra and images become one pool, matched object by object."""
