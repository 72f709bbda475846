"""One function a message: subject, text and HTML for one addressee, in its time zone."""
