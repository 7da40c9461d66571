"""What the captioning models cost: the ledger of their answers, and caps on it."""
