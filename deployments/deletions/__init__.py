"""Monitoring data of a model and a period, taken out as if they had never come in.

`rows` takes rows and keys out and marks what must be counted again, `released` lets go of actuals whose prediction is
gone, `work` is the job around them. Each day and each batch is one transaction under the deployment's lock, so a job
that is cut off goes on with the rest.
"""
