"""What is shown to people who do not log in: shared pages, the wall screen, badges."""
