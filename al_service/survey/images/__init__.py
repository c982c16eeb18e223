"""Images of every kind become stamps of `B x H x W` nanomaggies."""
