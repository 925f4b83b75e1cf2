"""`python -m llma_assets.webserver`: Dagster's web server behind the guard of `defs.webserver`, with its options."""

from llma_assets.defs.webserver import main

if __name__ == "__main__":
    main()
