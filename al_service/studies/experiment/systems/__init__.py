"""One file per kind of model; each names its systems in `SYSTEMS`."""
