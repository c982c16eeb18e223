"""A network and labels become a posterior."""
