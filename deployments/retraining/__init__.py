"""Training a deployment's model anew: `options` (what can be asked), `policies` (when), `data` (on what), `trainer`
(scikit-learn to ONNX) and `run` (the job).
"""
