"""From the chain's logs to the projections: closed ranges, reorgs, the follow loop."""
