"""`python -m al_service.cli` is `al`: how the stack starts its own API."""

from al_service.cli.main import main

main()
