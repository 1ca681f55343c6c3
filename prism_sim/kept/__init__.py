"""What is kept on disk: whole files or none, answers by what determines them, digests."""
