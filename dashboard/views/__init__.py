"""One module a page; each view is a plain function: let in, load, render."""
