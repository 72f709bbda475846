"""What other limits would have done: a deployment's stored past judged again, with the rules that production uses.

`past_of` reads the past once; `run` judges it by any health settings and alert policy, and says the days at risk and
failing, the incidents and what would have been told; `compare` holds two of them side by side; `propose` looks for a
limit that is quieter. Only reading touches the database: the rest is quick enough to be asked while a form is edited.
"""

from monitoring.backtest.past import Past, past_of
from monitoring.backtest.propose import Proposal, propose
from monitoring.backtest.run import AreaResult, Backtest, Comparison, compare, run

__all__ = ["AreaResult", "Backtest", "Comparison", "Past", "Proposal", "compare", "past_of", "propose", "run"]
