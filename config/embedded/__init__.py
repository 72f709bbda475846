"""A real PostgreSQL and a real Redis from the installed wheels, in a data folder of our own.

Used when `DATABASE_URL` or `REDIS_URL` is not set: by `manage.py up`, by one-off commands and by the tests.
`DataFolder` says where things lie, `Servers` runs them.
"""

from config.embedded.errors import EmbeddedError
from config.embedded.folder import DataFolder, default_data_folder
from config.embedded.servers import Servers

__all__ = ["DataFolder", "EmbeddedError", "Servers", "default_data_folder"]
