"""A survey made of real galaxies: simulated images, spectra, photometry and labels."""
