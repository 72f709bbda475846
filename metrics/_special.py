"""SciPy's special functions, loaded when one is first asked for: most processes that import us never ask.

SciPy brings a third of the time that importing this package would take otherwise.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scipy.special import chdtri as chdtri
    from scipy.special import entr as entr
    from scipy.special import expit as expit
    from scipy.special import logit as logit
    from scipy.special import ndtri as ndtri
    from scipy.special import rel_entr as rel_entr
else:

    def __getattr__(name: str) -> Any:
        import scipy.special

        return getattr(scipy.special, name)
