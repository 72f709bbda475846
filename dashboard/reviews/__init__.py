"""What the pages of reviews say, made from rows and records; no view and no drawing of its own."""
