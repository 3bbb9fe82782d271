"""Functions that every other file of rules may use."""


def refuse(sentence):
    """End before anything has run: Snakemake would add a traceback of its own."""
    print(f"error: {sentence}", file=sys.stderr, flush=True)
    os._exit(2)
